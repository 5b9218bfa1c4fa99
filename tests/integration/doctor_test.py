#!/usr/bin/env python3
"""tinta doctor from outside: what it says of this machine, and of runs that would be spoilt.

usage: doctor_test.py TINTA [unittest arguments]
"""

import json
import os

import numpy

import harness
from harness import ProgramTest, settings

# A sound run whose steps take milliseconds; fewer than 1000 steps of the process need other betas.
SOUND = settings(*harness.TINY_GLYPHS, "process.steps=1000", "data.size=8", "training.steps=500",
                 "training.sample_every=0", "training.checkpoint_every=100")


class Doctor(ProgramTest):
    def doctor(self, code: int, *words: object) -> dict:
        done = harness.run("doctor", *words, "--json")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["ok"], code == 0)
        return report

    def findings(self, report: dict, severity: str) -> set[str]:
        """Kinds of that severity; those that are this machine's own are left out."""
        return {finding["kind"] for finding in report["findings"]
                if finding["severity"] == severity} - {"threads", "memory", "disk"}

    def test_a_machine_is_described(self):
        report = self.doctor(0)
        machine = report["machine"]
        self.assertEqual(machine["cores"], len(os.sched_getaffinity(0)))
        self.assertEqual(machine["threads"], 1)
        self.assertLess(machine["memory_available_mib"], machine["memory_mib"])
        self.assertGreater(report["roof"]["fp32_gflops"], 0.1)
        self.assertGreater(report["roof"]["memory_gigabytes_per_second"], 0.1)
        self.assertIn("LibTorch", report["libraries"])
        self.assertIsNone(report["run"])
        self.assertEqual(self.findings(report, "error"), set())

    def test_a_sound_run_is_estimated_and_learns_a_batch_by_heart(self):
        report = self.doctor(0, "glyphs", *SOUND, "--overfit", 150,
                             *settings("training.learning_rate=5e-3"))
        self.assertEqual(self.findings(report, "error"), set())
        run = report["run"]
        about = json.loads(self.succeed("model", "info", "glyphs", "--json", *SOUND).stdout)
        self.assertEqual(run["parameters"], about["parameters"])
        self.assertAlmostEqual(run["gflop_per_image"], about["gflop_per_image"], places=9)
        self.assertAlmostEqual(run["seconds"], 500 * run["seconds_per_step"],
                               delta=1e-9 * run["seconds"])
        self.assertIn("own batch of 8", run["basis"])
        # What one checkpoint takes, but for the names of its tensors.
        self.train(self.folder / "run", "--steps", 1, *SOUND)
        size = sum(path.stat().st_size for path in
                   (self.folder / "run" / "checkpoints").rglob("*.safetensors"))
        self.assertLess(run["checkpoint_mib"] * 2**20, size)
        self.assertGreater(run["checkpoint_mib"] * 2**20, size / 2)
        self.assertTrue(report["overfit"]["passed"], report["overfit"])
        self.assertLess(report["overfit"]["last"], report["overfit"]["must_fall_below"])

    def test_betas_for_another_number_of_steps_are_an_error_with_a_remedy(self):
        done = harness.run("doctor", "glyphs", *SOUND, *settings("process.steps=100"))
        self.assertEqual(done.returncode, 1, done.stderr)
        lines = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
        self.assertEqual(len(lines), 1, done.stdout)
        self.assertIn("made for 1000 steps, and there are 100", lines[0])
        self.assertIn("--set process.beta_end=0.2", lines[0])
        better = settings("process.steps=100", "process.beta_start=0.001", "process.beta_end=0.2")
        self.assertEqual(self.findings(self.doctor(0, "glyphs", *SOUND, *better), "error"), set())

    def test_sizes_that_do_not_divide_are_findings_and_nothing_is_timed(self):
        report = self.doctor(1, "glyphs", *SOUND, *settings("model.groups=5", "model.head_dim=3"))
        texts = [finding["text"] for finding in report["findings"]
                 if finding["kind"] == "config"]
        self.assertTrue(any(text.startswith("model.channels: expected a multiple of model.groups")
                            for text in texts), texts)
        self.assertTrue(any(text.startswith("model.head_dim: expected") for text in texts), texts)
        self.assertIsNone(report["run"])

    def test_a_batch_that_is_not_learnt_is_an_error(self):
        report = self.doctor(1, "glyphs", *SOUND, "--overfit", 5,
                             *settings("training.learning_rate=1e-9"))
        self.assertEqual(self.findings(report, "error"), {"overfit"})
        self.assertFalse(report["overfit"]["passed"])

    def test_data_are_examined(self):
        path = self.folder / "pictures.npz"
        numpy.savez(path, images=numpy.zeros((6, 8, 8, 3), numpy.uint8))
        words = ("arrays", *settings(*harness.TINY, "process.steps=1000"))
        report = self.doctor(0, *words)
        self.assertLessEqual({"data-unseen", "size-unknown"}, self.findings(report, "warning"))
        self.assertIsNone(report["run"])
        report = self.doctor(0, *words, "--data", path)
        self.assertGreater(report["run"]["seconds_per_step"], 0)
        self.assertLessEqual({"data-flat", "data-copies", "data-few"},
                             self.findings(report, "warning"))
        path.write_bytes(b"PK no more")
        report = self.doctor(1, *words, "--data", path)
        self.assertEqual(self.findings(report, "error"), {"data-unreadable"})

    def test_what_is_no_run_is_refused(self):
        self.fail_with(2, '"glyphs"', words=("doctor", "glyfs"))
        self.fail_with(2, "expected a preset", words=("doctor", "--overfit", 3))
        self.fail_with(2, "--data", words=("doctor", "glyphs", "--data", self.folder / "absent"))


if __name__ == "__main__":
    harness.main()
