#!/usr/bin/env python3
"""tinta verify-resume: kills and resumes, what it reports of them, and that it sees a difference.

usage: verify_resume_test.py TINTA [unittest arguments]
"""

import hashlib
import json
import os
from pathlib import Path

import harness
import numpy
import readers
from harness import ProgramTest, settings

KILLS = 20
STEPS = 60
COMPARED = {"model.safetensors", "ema.safetensors", "optimizer.safetensors", "state.json",
            "manifest.json", "metrics.jsonl"}


def verify(out: Path, *words: object) -> tuple:
    return ("verify-resume", "glyphs", "--steps", STEPS, "--kills", KILLS, "--out", out, "--json",
            *settings(*harness.TINY_GLYPHS), *words)


class VerifyResume(ProgramTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "runs"

    def test_twenty_kills_inside_saves_and_elsewhere_leave_the_bits_of_a_run_left_alone(self):
        done = self.succeed(*verify(self.out, *settings("training.sample_every=25")),
                            patience=5 * harness.PATIENCE)
        report = json.loads(done.stdout)
        self.assertTrue(report["identical"])
        self.assertEqual(report["kills"], KILLS)
        self.assertEqual(len(report["struck"]), KILLS)
        inside = [strike for strike in report["struck"] if strike["inside_a_save"]]
        self.assertEqual(len(inside), report["inside_a_save"])
        self.assertGreater(len(inside), 0)
        self.assertLess(len(inside), KILLS)
        self.assertGreater(len({strike["step"] for strike in report["struck"]}), 1)
        for strike in report["struck"]:
            self.assertLessEqual(strike["step"], STEPS)
            self.assertIn(strike["run"], range(1, report["runs"] + 1))
        self.assertIn("clock.json", report["apart"])

        # The same by other means: whole run folders, and the sums.
        straight = self.out / "straight"
        newest = straight / "checkpoints" / f"step-{STEPS:08}"
        for number in range(1, report["runs"] + 1):
            killed = self.out / f"killed-{number}"
            contents = [readers.content(folder) for folder in (straight, killed)]
            self.assertEqual(readers.differences(*contents), [])
            files = {file["file"]: file for file in report["files"] if file["run"] == number}
            self.assertLessEqual(COMPARED | {"samples/step-00000050.png"}, files.keys())
            for name in ("model.safetensors", "state.json"):
                digest = hashlib.sha256((newest / name).read_bytes()).hexdigest()
                self.assertEqual(files[name]["straight"], digest)
                self.assertEqual(files[name]["killed"], digest)

    # The pictures change under the killed runs.
    def test_runs_that_differ_are_told_and_kept(self):
        data, other = self.folder / "data.npz", self.folder / "other.npz"
        for path, seed in ((data, 1), (other, 2)):
            pixels = numpy.random.default_rng(seed).integers(0, 255, (40, 12, 12), numpy.uint8)
            numpy.savez(path, images=pixels)
        process = harness.start("verify-resume", "arrays", "--data", data, "--steps", 40,
                                "--kills", 5, "--out", self.out, "--json",
                                *settings(*harness.TINY, "data.channels=1", "data.size=0",
                                          "model.image_channels=1", "model.classes=0",
                                          "sampling.guidance=1"))
        end = self.out / "straight" / "checkpoints" / "step-00000040"
        self.assertTrue(harness.wait_until(end.exists, process), "while it runs")
        os.replace(other, data)
        stdout, stderr = process.communicate(timeout=harness.PATIENCE)
        self.assertEqual(process.returncode, 1, stderr)
        report = json.loads(stdout)
        self.assertFalse(report["identical"])
        (model,) = [file for file in report["files"]
                    if file["file"] == "model.safetensors" and file["run"] == report["runs"]]
        self.assertFalse(model["identical"])
        self.assertNotEqual(model["straight"], model["killed"])

    def test_it_cleans_up_and_says_in_words_what_it_did(self):
        done = self.succeed("verify-resume", "glyphs", "--steps", 20, "--kills", 1,
                            *settings(*harness.TINY_GLYPHS), env=harness.environment(
                                TMPDIR=str(self.folder)))
        self.assertRegex(done.stdout, r"^1 kills, \d of them inside a save")
        self.assertIn("model.safetensors", done.stdout)
        self.assertIn("identical: a run that is killed ends as one that is not", done.stdout)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_what_cannot_be_is_refused(self):
        self.out.mkdir()
        self.fail_with(2, "--out", "which exists", words=verify(self.out))
        self.fail_with(2, "--steps", words=("verify-resume", "glyphs", "--steps", 1))
        self.fail_with(2, '"glyphs"', words=("verify-resume", "glyph"))
        self.fail_with(2, "--data", words=("verify-resume", "mnist"))
        # The engine's own words on a run that fails.
        done = harness.run("verify-resume", "mnist", "--data", self.folder / "none")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(str(self.folder / "none"), done.stderr.splitlines()[-1])


if __name__ == "__main__":
    harness.main()
