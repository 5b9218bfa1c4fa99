#!/usr/bin/env python3
"""Schedules of learning from outside: validation, early stopping, averages chosen afterwards, batches
in parts, recomputation.

usage: schedules_test.py TINTA [unittest arguments]
"""

import json
import math
from pathlib import Path

import numpy

import harness
import readers
from harness import ProgramTest, settings

VALIDATED = settings("data.validation=0.25", "training.validate_every=3",
                     "training.checkpoint_every=3", "training.keep_checkpoints=2",
                     "training.ema_decay=0.5", "training.learning_rate=1e-3")
TRACKED = settings("training.ema_relative_widths=0.05,0.1", "training.checkpoint_every=2",
                   "training.keep_checkpoints=1", "training.learning_rate=5e-3")


def validations(run: Path) -> list[dict]:
    """The lines of validation.jsonl."""
    text = (run / "validation.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


class SchedulesTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "run"

    def resume(self, *words: object):
        return self.succeed("train", "--out", self.out, "--resume", *words)

    def draw(self, *words: object) -> tuple[numpy.ndarray, dict[str, str]]:
        """The pictures and the PNG's text of a sampling command."""
        done = self.succeed("sample", self.out, "-n", 4, "--steps", 2, "--json", *words)
        return readers.png(Path(json.loads(done.stdout)["output"]))


class Validation(SchedulesTest):
    def test_lines_hold_the_loss_by_noise_level_and_the_best_one_is_kept(self):
        self.train(self.out, "--steps", 13, *VALIDATED)
        lines = validations(self.out)
        self.assertEqual([line["step"] for line in lines], [3, 6, 9, 12, 13])
        for line in lines:
            self.assertEqual([[part[key] for key in ("t_low", "t_high")] for part in line["bins"]],
                             [[1 + 10 * i, 10 + 10 * i] for i in range(10)])
            self.assertEqual(len({part["count"] for part in line["bins"]}), 1)
            mean = sum(part["loss"] for part in line["bins"]) / 10
            self.assertAlmostEqual(line["loss"], mean, places=12)
            self.assertTrue(0 < line["standard_error"] < line["loss"] < math.inf)
        best = json.loads((self.out / "best.json").read_text(encoding="utf-8"))
        least = min(lines, key=lambda line: line["loss"])
        self.assertEqual(best, {**{key: least[key] for key in ("step", "loss", "standard_error")},
                                "checkpoint": f"step-{least['step']:08}"})
        kept = {f"step-{step:08}" for step in (12, 13, least["step"])}
        self.assertEqual(set(readers.checkpoints(self.out)), kept)
        _, text = self.draw("--checkpoint", "best")
        self.assertEqual(text["checkpoint"], best["checkpoint"])

    def test_a_resumed_run_has_the_bytes_of_one_left_alone(self):
        words = (*TRACKED, *VALIDATED, *settings("training.log_every=3"))
        self.train(self.out, "--steps", 6, *words)
        self.resume("--steps", 12)
        whole = self.folder / "whole"
        self.train(whole, "--steps", 12, *words)
        found, wanted = map(readers.content, (self.out, whole))
        self.assertLessEqual({"validation.jsonl", "best.json", "ema/step-00000003.safetensors",
                              "checkpoints/step-00000012/ema-0.05.safetensors"}, found.keys())
        self.assertEqual(readers.differences(found, wanted), [])

    def test_patience_ends_a_run_early_and_it_can_be_gone_on_with(self):
        # So small a rate that no weight moves, and no validation is better than the first.
        words = (*VALIDATED, *settings("training.patience=2", "training.learning_rate=1e-30"))
        done = self.train(self.out, "--steps", 40, *words)
        self.assertIn("training ends early: no better validation since step 3", done.stderr)
        self.assertEqual(readers.last_step(self.out), 9)
        before = readers.content(self.out)
        self.assertIn("ended early", self.resume().stderr)
        self.assertEqual(readers.differences(before, readers.content(self.out)), [])
        self.resume("--steps", 10, *settings("training.patience=0"))
        self.assertEqual(readers.last_step(self.out), 10)

    def test_what_cannot_be_validated_is_refused(self):
        words = ("train", "glyphs", "--out", self.out, *settings(*harness.TINY_GLYPHS))
        self.fail_with(2, "data.validation: expected above 0", words=(
            *words, *settings("training.validate_every=5")))
        self.fail_with(2, "training.patience: expected 0 without training.validate_every", words=(
            *words, *settings("training.patience=5")))
        self.assertFalse(self.out.exists())
        self.train(self.out, "--steps", 1)
        self.fail_with(2, "training.validate_every", "best.json",
                       words=("sample", self.out, "--checkpoint", "best"))


class Averages(SchedulesTest):
    def test_any_width_can_be_chosen_after_training(self):
        self.train(self.out, "--steps", 20, *TRACKED)
        self.assertEqual(readers.checkpoints(self.out), ["step-00000020"])
        self.assertEqual(len(list((self.out / "ema").iterdir())), 10)
        checkpoint = self.out / "checkpoints" / "step-00000020"
        self.assertEqual(readers.checkpoint_faults(checkpoint), [])
        narrow, wide, raw = (readers.tensors(checkpoint / f"{name}.safetensors")
                             for name in ("ema-0.05", "ema-0.1", "model"))
        for name, weights in raw.items():
            if abs(weights).max() == 0:
                continue
            # The narrower, the nearer to the last weights.
            self.assertLessEqual(numpy.linalg.norm(weights - narrow[name]),
                                 numpy.linalg.norm(weights - wide[name]), name)
        pictures = {}
        for width in ("0.05", "0.075", "0.1"):
            pictures[width], text = self.draw("--ema", width)
            self.assertEqual(text["weights"], f"ema-{width}")
            self.assertRegex(text["weights-sha256"], "^[0-9a-f]{16}$")
        self.assertFalse(numpy.array_equal(pictures["0.05"], pictures["0.1"]))
        self.assertFalse(numpy.array_equal(pictures["0.05"], pictures["0.075"]))

    def test_a_run_that_tracked_none_says_so(self):
        self.train(self.out, "--steps", 1)
        self.fail_with(2, "training.ema_relative_widths",
                       words=("sample", self.out, "--ema", "0.1"))
        self.fail_with(2, "--ema or --weights raw",
                       words=("sample", self.out, "--ema", "0.1", "--weights", "raw"))


class Memory(SchedulesTest):
    def test_a_batch_in_parts_gives_the_losses_and_weights_of_a_whole_one(self):
        runs = [self.folder / name for name in ("whole", "parts")]
        for run, parts in zip(runs, (1, 4)):
            self.train(run, "--steps", 6, "--precision", "fp32", *settings(
                f"training.accumulate={parts}", "training.log_every=1", "model.dropout=0.2"))
        whole, parts = map(readers.metrics, runs)
        for a, b in zip(whole, parts):
            self.assertAlmostEqual(a["loss"], b["loss"], delta=1e-5)
        whole, parts = (readers.tensors(run / "checkpoints" / "step-00000006" / "model.safetensors")
                        for run in runs)
        for name, weights in whole.items():
            numpy.testing.assert_allclose(parts[name], weights, atol=1e-5, err_msg=name)

    def test_parts_must_divide_the_batch(self):
        self.fail_with(2, "training.accumulate: expected a divisor of training.batch = 8, got 3",
                       words=("train", "glyphs", "--out", self.out,
                              *settings(*harness.TINY_GLYPHS, "training.accumulate=3")))

    def test_recomputation_and_parts_lower_the_peak_of_memory(self):
        # Few channels and large pictures: much memory for little arithmetic.
        network = ("model.channels=8", "model.groups=4", "model.blocks=3",
                   "model.attention_levels=", "model.mid_attention=false", "data.size=48")

        def peak(*assignments: str) -> float:
            words = ("bench", "train", "--preset", "glyphs", "--batch", 64, "--precision", "fp32",
                     "--steps", 1, "--json", *settings(*network, *assignments))
            return json.loads(self.succeed(*words).stdout)["peak_memory_mib"]

        plain = peak()
        self.assertLess(peak("model.recompute=true"), 0.9 * plain)
        self.assertLess(peak("training.accumulate=8"), 0.9 * plain)


if __name__ == "__main__":
    harness.main()
