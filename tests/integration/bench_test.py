#!/usr/bin/env python3
"""tinta bench and tinta train --profile from outside: what they say, not how fast anything is.

usage: bench_test.py TINTA [unittest arguments]
"""

import json
import math

import harness
import readers
from harness import ProgramTest, settings

PARTS = {"convolution, forward", "convolution, data gradient", "convolution, weight gradient",
         "group norm", "attention", "linear", "optimiser", "data", "noise",
         "copies and casts", "other"}


class Bench(ProgramTest):
    def assert_profile_adds_up(self, profile: dict) -> None:
        self.assertEqual({part["part"] for part in profile["parts"]}, PARTS)
        self.assertTrue(all(part["milliseconds"] >= 0 for part in profile["parts"]))
        self.assertAlmostEqual(sum(part["milliseconds"] for part in profile["parts"]),
                               profile["milliseconds"], delta=1e-6 * profile["milliseconds"])
        self.assertAlmostEqual(sum(part["share"] for part in profile["parts"]), 1, delta=1e-9)

    def assert_is_measured(self, report: dict) -> None:
        for key in ("images_per_second", "share_of_roof", "peak_memory_mib",
                    "convolution_peak_gflops", "seconds_to_first_step", "seconds_of_first_step"):
            self.assertTrue(0 < report[key] < math.inf, f"{key} = {report[key]}")
        seconds = report["seconds_per_step"]
        self.assertLessEqual(seconds["low"], seconds["median"])
        self.assertLessEqual(seconds["median"], seconds["high"])
        self.assertAlmostEqual(report["images_per_second"] * seconds["median"], report["batch"],
                               delta=1e-9 * report["batch"])
        self.assertAlmostEqual(
            report["share_of_roof"],
            report["images_per_second"] * report["gflop_per_image"]
            / report["convolution_peak_gflops"], delta=1e-9 * report["share_of_roof"])
        self.assertIn(report["peak_memory_of"], ("steps", "process"))
        self.assert_profile_adds_up(report["profile"])

    def test_training_steps(self):
        report = json.loads(self.succeed("bench", "train", "--preset", "mnist-bench", "--batch", 4,
                                         "--precision", "fp32", "--steps", 2, "--json").stdout)
        self.assert_is_measured(report)
        about = json.loads(self.succeed("model", "info", "mnist-bench", "--json").stdout)
        self.assertEqual([report[key] for key in ("step", "batch", "precision", "parameters")],
                         ["training", 4, "fp32", about["parameters"]])
        self.assertAlmostEqual(report["gflop_per_image"], about["gflop_per_image"], places=9)
        self.assertEqual(report["seconds_per_step"]["count"], 2)

    def test_sampling_steps_and_overrides(self):
        words = ("bench", "sample", "--preset", "glyphs", "--batch", 4, "--precision", "fp32",
                 "--steps", 2, *settings(*harness.TINY, "sampling.guidance=1"))
        report = json.loads(self.succeed(*words, "--json").stdout)
        self.assert_is_measured(report)
        about = json.loads(self.succeed("model", "info", "glyphs", "--json",
                                        *settings(*harness.TINY)).stdout)
        self.assertEqual([report["step"], report["parameters"], report["steps_per_picture"]],
                         ["sampling", about["parameters"], 2])
        self.assertAlmostEqual(report["gflop_per_image"], about["gflop_per_image_forward"], places=9)
        text = self.succeed(*words).stdout
        for part in ("share of the roof", "peak memory", "first step after", "convolution, forward"):
            self.assertIn(part, text)

    def test_the_machine(self):
        report = json.loads(self.succeed("bench", "--precision", "fp32", "--seconds", 0.001,
                                         "--json").stdout)
        self.assertGreater(report["peak_gflops"]["fp32"]["convolution"]["median"], 0)
        self.assertEqual(set(report["memory_gigabytes_per_second"]),
                         {"read", "write", "copy", "triad"})
        # Those of weight gradients are there where we have a kernel for them.
        self.assertIn(len(report["kernels"]), (9, 11))

    def test_wrong_usage_is_one_line_and_exit_code_2(self):
        self.fail_with(2, "expected train, sample or options", words=("bench", "trian"))
        self.fail_with(2, "expected --preset, got none", words=("bench", "train"))
        self.fail_with(2, '"mnist"', words=("bench", "train", "--preset", "mnits"))
        self.fail_with(2, "--steps: expected a whole number",
                       words=("bench", "sample", "--preset", "glyphs", "--steps", "0"))
        self.fail_with(2, "--steps: expected at most",
                       words=("bench", "sample", "--preset", "glyphs", "--steps", "3",
                              *settings("process.steps=4", "sampling.steps=2")))

    def test_a_profile_of_training_steps(self):
        out = self.folder / "run"
        done = self.train(out, "--steps", 6, "--profile", 2, "--json")
        profile = json.loads(done.stdout)["profile"]
        self.assertEqual(profile["steps"], 2)
        self.assertEqual(profile["trace"], str(out / "trace.json"))
        self.assert_profile_adds_up(profile)
        events = json.loads((out / "trace.json").read_text())["traceEvents"]
        steps = [event for event in events if event["name"] == "tinta::training_step"]
        self.assertEqual(len(steps), 2)
        self.assertTrue(all(event["ph"] == "X" and event["dur"] >= 0 for event in events))
        first = min(events, key=lambda event: event["ts"])
        self.assertIn(first, steps)
        self.assertEqual(readers.last_step(out), 6)

    def test_a_profile_changes_no_bit_of_a_run(self):
        plain, traced = self.folder / "plain", self.folder / "traced"
        self.train(plain, "--steps", 5)
        table = self.train(traced, "--steps", 5, "--profile", 1).stdout
        self.assertIn("optimiser", table)
        differences = readers.differences(*map(readers.content, (plain, traced)))
        self.assertEqual(differences, ["trace.json"])

    def test_a_run_too_short_for_a_profile_says_so(self):
        done = self.train(self.folder / "run", "--steps", 3, "--profile", 1)
        self.assertIn("no step was traced", done.stdout)


if __name__ == "__main__":
    harness.main()
