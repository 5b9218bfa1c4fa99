#!/usr/bin/env python3
"""Watching runs: TensorBoard's events as TensorBoard reads them, tinta runs, log and plot.

usage: watch_test.py TINTA [unittest arguments]
"""

import importlib.util
import json
import logging
import os
import re
import signal
import unittest
from pathlib import Path

import numpy

import harness
import readers
from harness import ProgramTest, settings

EVERY = settings("training.log_every=3", "training.checkpoint_every=10",
                 "training.sample_every=20", "training.validate_every=7", "data.validation=0.25",
                 "training.validation_images=8", "sampling.guidance=1", "model.classes=0")


def tensorboard(run: Path) -> dict[str, list[tuple[int, object]]]:
    """Tag -> (step, value) as TensorBoard itself reads a run's events; pictures as PNG's bytes."""
    from tensorboard.backend.event_processing import plugin_event_accumulator as accumulator
    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it tells of each restart
    events = accumulator.EventAccumulator(str(run / "tb"), size_guidance={"tensors": 0})
    events.Reload()
    found = {}
    for tag in events.Tags()["tensors"]:
        found[tag] = [(event.step, event.tensor_proto.string_val[2] if tag == "samples"
                       else event.tensor_proto.float_val[0]) for event in events.Tensors(tag)]
    return found


@unittest.skipUnless(importlib.util.find_spec("tensorboard") or os.environ.get("CI") == "true",
                     "this Python has no tensorboard; scripts/setup.sh installs it")
class Events(ProgramTest):
    def setUp(self):
        super().setUp()
        self.run = self.folder / "run"

    def assert_events_are_the_runs(self, run: Path) -> None:
        """Each line of metrics, validation and grid of samples once, and nothing else."""
        events, lines = tensorboard(run), readers.metrics(run)
        for key in ("loss", "learning_rate", "gradient_norm", "skipped_steps", "weight_norm",
                    "ema_age", "images_per_second"):
            self.assertEqual(events.pop(key),
                             [(line["step"], numpy.float32(line[key])) for line in lines], key)
        for at in range(10):
            wanted = [(line["step"], numpy.float32(line["loss_by_t"][at])) for line in lines
                      if line["loss_by_t"][at] is not None]
            self.assertEqual(events.pop(f"loss_by_t/{10 * at:02}-{10 * at + 10:02}", []), wanted)
        validations = readers.whole_lines(run / "validation.jsonl")
        for tag, key in (("loss", "loss"), ("standard_error", "standard_error")):
            self.assertEqual(events.pop(f"validation/{tag}", []),
                             [(line["step"], numpy.float32(line[key])) for line in validations])
        grids = [(int(path.stem.removeprefix("step-")), path.read_bytes())
                 for path in sorted((run / "samples").glob("step-*.png"))]
        self.assertEqual(events.pop("samples", []), grids)
        self.assertEqual(events, {})

    def test_tensorboard_reads_what_metrics_and_samples_hold(self):
        self.train(self.run, "--steps", 25, *EVERY)
        self.assert_events_are_the_runs(self.run)
        self.assertEqual(len(list((self.run / "samples").iterdir())), 2)

    def test_a_run_that_goes_on_repeats_and_loses_no_step(self):
        self.train(self.run, "--steps", 14, *EVERY)
        self.succeed("train", "--out", self.run, "--resume", "--steps", 40)
        self.assert_events_are_the_runs(self.run)
        # Steps that are lost with the newest checkpoints are done again, pictures too.
        for name in readers.checkpoints(self.run)[-2:]:
            (self.run / "checkpoints" / name / "manifest.json").unlink()
        self.succeed("train", "--out", self.run, "--resume")
        self.assert_events_are_the_runs(self.run)
        self.assertEqual(len(list((self.run / "tb").iterdir())), 3)

    def test_a_killed_run_goes_on_without_a_step_twice(self):
        process = harness.start("train", "glyphs", "--out", self.run, "--steps", 100,
                                *settings(*harness.TINY_GLYPHS), *EVERY)
        if harness.wait_until(lambda: readers.last_step(self.run) >= 24, process):
            process.send_signal(signal.SIGKILL)
        process.communicate(timeout=harness.PATIENCE)
        # And an event that was cut short, as a full disk leaves one.
        newest = max((self.run / "tb").iterdir())
        with newest.open("ab") as file:
            file.write(newest.read_bytes()[:20])
        self.succeed("train", "--out", self.run, "--resume")
        self.assert_events_are_the_runs(self.run)

    def test_starting_over_forgets_the_events_of_the_run_before(self):
        self.train(self.run, "--steps", 9, *EVERY)
        self.train(self.run, "--steps", 4, "--force", *EVERY)
        self.assert_events_are_the_runs(self.run)


class Flight(ProgramTest):
    def test_losses_by_noise_level_tell_the_mean_in_parts(self):
        self.train(self.folder / "run", "--steps", 12, *settings("training.log_every=1"))
        for line in readers.metrics(self.folder / "run"):
            levels = line["loss_by_t"]
            self.assertEqual(len(levels), 10)
            known = [loss for loss in levels if loss is not None]
            self.assertTrue(min(known) <= line["loss"] <= max(known), line)
            self.assertGreater(line["weight_norm"], 0)
        weights = readers.tensors(self.folder / "run" / "checkpoints" / "step-00000012" /
                                  "model.safetensors")
        squares = sum(float((values.astype(numpy.float64) ** 2).sum())
                      for values in weights.values())
        self.assertAlmostEqual(line["weight_norm"], squares ** 0.5, delta=1e-6 * squares ** 0.5)


class Runs(ProgramTest):
    def runs(self, *words: object) -> list[dict]:
        return json.loads(self.succeed("runs", *words, "--json").stdout)

    def test_runs_are_listed_with_their_states(self):
        done, going = self.folder / "done", self.folder / "deep" / "going"
        self.train(done, "--steps", 6)
        process = harness.start("train", "glyphs", "--out", going, "--steps", 100000,
                                *settings(*harness.TINY_GLYPHS, "training.log_every=1"))
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertTrue(harness.wait_until(lambda: readers.last_step(going) >= 3, process))
        first, second = self.runs(self.folder)
        self.assertEqual([first["run"], first["state"]], [str(going), "running"])
        self.assertGreaterEqual(first["step"], 3)
        last = readers.metrics(done)[-1]
        size = sum(path.stat().st_size for path in done.rglob("*") if path.is_file())
        self.assertEqual(second, {
            "run": str(done), "state": "finished", "problem": None, "step": 6, "share": 1.0,
            "loss": last["loss"], "images_per_second": last["images_per_second"], "bytes": size,
            "checkpoint": 6})
        process.send_signal(signal.SIGINT)
        process.wait(harness.PATIENCE)
        self.assertEqual(self.runs(going)[0]["state"], "stopped")
        (done / "checkpoints" / "step-00000006" / "ema.safetensors").unlink()
        table = self.succeed("runs", self.folder).stdout.splitlines()
        self.assertRegex(table[0], r"^run +state +done +step +loss +img/s +size +checkpoint$")
        self.assertRegex(table[1], r"/deep/going +stopped +\d+%")
        self.assertRegex(table[2], r"/done +damaged +100% +6 ")
        self.assertRegex(table[3], r"/done: step-00000006/ema\.safetensors: expected a file")

    def test_no_runs_are_no_error_but_no_folder_is(self):
        self.assertEqual(self.runs(self.folder), [])
        self.assertIn("no runs", self.succeed("runs", cwd=self.folder).stdout)
        self.fail_with(2, "[runs] expected a folder", words=("runs", self.folder / "absent"))


class Log(ProgramTest):
    def setUp(self):
        super().setUp()
        self.run = self.folder / "run"

    def test_a_finished_run_is_shown_whole_and_in_order(self):
        self.train(self.run, "--steps", 9, *settings("training.log_every=3"))
        self.succeed("train", "--out", self.run, "--resume", "--steps", 12)
        text = self.succeed("log", self.run).stdout
        self.assertEqual(re.findall(r"(?m)^ +(\d+) ", text), ["1", "3", "6", "9", "12"])
        self.assertLess(text.index("\n        9 "), text.index("going on from step-00000009"))
        self.assertLess(text.index("going on from step-00000009"), text.index("\n       12 "))
        lines = self.succeed("log", self.run, "--json").stdout.splitlines()
        wanted = [line for name in ("metrics.jsonl", "log.jsonl")
                  for line in (self.run / name).read_text(encoding="utf-8").splitlines()]
        self.assertEqual(sorted(lines), sorted(wanted))

    def test_a_run_is_followed_to_its_end(self):
        words = ("train", "glyphs", "--out", self.run, "--steps", 300,
                 *settings(*harness.TINY_GLYPHS, "training.log_every=10"))
        training = harness.start(*words)
        self.addCleanup(training.kill)
        self.assertTrue(harness.wait_until((self.run / "config.toml").exists, training))
        followed = self.succeed("log", self.run, "--follow", "--json")
        training.communicate(timeout=harness.PATIENCE)
        steps = [line["step"] for line in map(json.loads, followed.stdout.splitlines())
                 if "step" in line]
        self.assertEqual(steps, [1, *range(10, 301, 10)])

    def test_following_ends_with_an_interrupt(self):
        training = harness.start("train", "glyphs", "--out", self.run, "--steps", 1000000,
                                 *settings(*harness.TINY_GLYPHS))
        self.addCleanup(training.communicate)
        self.addCleanup(training.kill)
        self.assertTrue(harness.wait_until(lambda: readers.last_step(self.run) >= 1, training))
        following = harness.start("log", self.run, "--follow")
        self.addCleanup(following.kill)
        self.assertRegex(following.stdout.readline(), r"^\d{4}-\d\d-\d\dT|^ +step")
        following.send_signal(signal.SIGINT)
        following.communicate(timeout=harness.PATIENCE)
        self.assertEqual(following.returncode, 130)
        self.assertIsNone(training.poll())

    def test_what_is_no_run_is_refused_with_the_nearest(self):
        self.train(self.run, "--steps", 1)
        self.fail_with(2, "[log] expected a run folder", '"' + str(self.run) + '"',
                       words=("log", self.folder / "rum"))


class Plot(ProgramTest):
    def setUp(self):
        super().setUp()
        self.first, self.second = self.folder / "first", self.folder / "second"
        for run in (self.first, self.second):
            self.train(run, "--steps", 20, *settings("training.log_every=1"))

    def test_curves_of_two_runs_are_drawn_in_each_format(self):
        (self.first / "validation.jsonl").write_text(
            '{"step": 10, "loss": 0.9, "standard_error": 0.05}\n', encoding="utf-8")
        for name, begin in (("loss.png", b"\x89PNG"), ("loss.svg", b"<?xml"), ("l.pdf", b"%PDF")):
            done = self.succeed("plot", self.first, self.second, "--log", "both", "-o",
                                self.folder / name, "--json")
            self.assertTrue((self.folder / name).read_bytes().startswith(begin), name)
        drawn = json.loads(done.stdout)["runs"]
        self.assertEqual([(run["lines"], run["step"], run["validation"]) for run in drawn],
                         [(20, 20, 1), (20, 20, 0)])
        self.assertEqual(drawn[1]["loss"], readers.metrics(self.second)[-1]["loss"])
        pixels, text = readers.png(self.folder / "loss.png")
        self.assertEqual(text["runs"], f"{self.first} {self.second}")
        # Not a blank sheet: two colours that are not grey, besides black on white.
        colours = {tuple(pixel) for pixel in pixels.reshape(-1, 3)[::7]
                   if max(pixel) - min(pixel.astype(int)) > 60}
        self.assertGreater(len(colours), 2)

    def test_a_picture_that_exists_is_kept_unless_forced(self):
        out = self.folder / "loss.png"
        self.succeed("plot", self.first, "-o", out)
        before = out.read_bytes()
        self.fail_with(2, "--output", words=("plot", self.second, "-o", out))
        self.assertEqual(out.read_bytes(), before)
        self.succeed("plot", self.second, "-o", out, "--force")
        self.assertNotEqual(out.read_bytes(), before)

    def test_what_cannot_be_drawn_is_refused(self):
        self.fail_with(2, "[plot] --output", words=("plot", self.first, "-o", "loss.jpg"))
        self.fail_with(2, "[plot] expected a run folder", words=("plot", self.folder / "absent"))
        (self.first / "metrics.jsonl").unlink()
        self.fail_with(2, "expected runs with logged losses",
                       words=("plot", self.first, "-o", self.folder / "none.png"))
        self.assertFalse((self.folder / "none.png").exists())


if __name__ == "__main__":
    harness.main()
