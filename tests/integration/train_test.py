#!/usr/bin/env python3
"""tinta train from outside: what a run folder holds, and that it depends on the command alone.

usage: train_test.py TINTA [unittest arguments]
"""

import json
import math
from pathlib import Path

import harness
import readers
from harness import ProgramTest, settings


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Time and bytes of every file that a run has written; the lock is the process's own."""
    return {path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
            for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


class Repeatability(ProgramTest):
    WORDS = ("--steps", 12, *settings("training.sample_every=6", "training.checkpoint_every=6"))

    def test_the_same_command_twice_gives_the_same_bytes(self):
        runs = [self.folder / name for name in ("first", "second", "other-seed")]
        for run, seed in zip(runs, (1, 1, 2)):
            self.train(run, "--seed", seed, *self.WORDS)
        first, second, other = map(readers.content, runs)
        self.assertEqual(readers.differences(first, second), [])
        newest = "checkpoints/step-00000012/"
        chosen = {newest + name for name in ("model.safetensors", "ema.safetensors",
                                             "optimizer.safetensors")}
        chosen |= {"samples/step-00000006.png", "samples/step-00000012.png", "metrics.jsonl"}
        # The comparison holds what it should, and another seed changes all of it.
        self.assertLessEqual(chosen | {newest + "state.json", "config.toml"}, first.keys())
        self.assertLessEqual(chosen, set(readers.differences(first, other)))

    def test_several_threads_give_the_same_bytes_each_time_and_after_a_stop(self):
        first, second, halves = (self.folder / name for name in ("first", "second", "halves"))
        words = ("--threads", 3, *self.WORDS[2:], *settings("training.decay=constant"))
        for run, steps in ((first, 12), (second, 12), (halves, 6)):
            self.train(run, "--steps", steps, *words)
        self.succeed("train", "--out", halves, "--resume", "--threads", 3, "--steps", 12)
        self.assertEqual(readers.differences(*map(readers.content, (first, second))), [])
        newest = "checkpoints/step-00000012/"
        for name in ("model.safetensors", "ema.safetensors", "optimizer.safetensors"):
            self.assertEqual((first / newest / name).read_bytes(),
                             (halves / newest / name).read_bytes(), name)

    def test_the_config_of_a_run_makes_the_same_run_again(self):
        first, second = self.folder / "first", self.folder / "second"
        self.train(first, *self.WORDS)
        self.succeed("train", first / "config.toml", "--out", second)
        self.assertEqual(readers.differences(*map(readers.content, (first, second))), [])


class RunFolder(ProgramTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "run"

    def test_first_and_last_steps_are_logged_and_saved_under_their_names(self):
        done = self.train(self.out, "--steps", 40, "--json",
                          *settings("training.log_every=7", "training.checkpoint_every=20"))
        lines = readers.metrics(self.out)
        self.assertEqual([line["step"] for line in lines], [1, 7, 14, 21, 28, 35, 40])
        self.assertEqual([line["images"] for line in lines], [8 * line["step"] for line in lines])
        self.assertTrue(all(0 < line["loss"] < math.inf for line in lines))
        self.assertTrue(all(line["images_per_second"] > 0 for line in lines))
        self.assertEqual(readers.checkpoints(self.out), ["step-00000020", "step-00000040"])
        for name in readers.checkpoints(self.out):
            self.assertEqual(readers.checkpoint_faults(self.out / "checkpoints" / name), [])
        summary = json.loads(done.stdout)
        self.assertEqual([summary[key] for key in ("ending", "step", "images")],
                         ["finished", 40, 320])
        self.assertEqual(Path(summary["checkpoint"]).name, "step-00000040")

    def test_the_newest_checkpoints_are_kept(self):
        self.train(self.out, "--steps", 9,
                   *settings("training.checkpoint_every=2", "training.keep_checkpoints=2"))
        self.assertEqual(readers.checkpoints(self.out), ["step-00000008", "step-00000009"])

    def test_each_budget_ends_a_run(self):
        self.train(self.out, "--images", 24)
        self.assertEqual(readers.last_step(self.out), 3)
        self.train(self.folder / "minutes", "--minutes", 1e-9)
        self.assertEqual(readers.last_step(self.folder / "minutes"), 1)
        self.train(self.folder / "both", "--images", 80, "--steps", 2)
        self.assertEqual(readers.last_step(self.folder / "both"), 2)

    def test_an_existing_run_is_kept_unless_force_starts_over(self):
        self.train(self.out, "--steps", 6, *settings("training.checkpoint_every=2"))
        before = snapshot(self.out)
        words = ("train", "glyphs", "--out", self.out, *settings(*harness.TINY_GLYPHS), "--steps", 3)
        self.fail_with(2, str(self.out), "--resume", "--force", words=words)
        self.assertEqual(snapshot(self.out), before)
        self.succeed(*words, "--force")
        self.train(self.folder / "fresh", "--steps", 3)
        self.assertEqual(readers.differences(*map(readers.content, (self.out, self.folder / "fresh"))),
                         [])

    def test_a_rate_beyond_reason_stops_after_rollbacks_and_the_last_checkpoint_stands(self):
        self.fail_with(3, "[train] step ", "batch of samples ", "after 3 rollbacks",
                       words=("train", "glyphs", "--out", self.out, "--steps", 50,
                              *settings(*harness.TINY_GLYPHS, "training.learning_rate=1e30",
                                        "training.warmup_steps=0", "training.checkpoint_every=1")))
        self.assertEqual(readers.checkpoints(self.out), ["step-00000001"])
        newest = self.out / "checkpoints" / "step-00000001"
        self.assertEqual(readers.checkpoint_faults(newest), [])
        for values in readers.tensors(newest / "model.safetensors").values():
            self.assertTrue(abs(values).max() < math.inf)
        self.assertEqual(readers.last_step(self.out), 1)


class Resume(ProgramTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "run"
        self.every = settings("training.log_every=5", "training.checkpoint_every=5")
        self.train(self.out, "--steps", 10, *self.every)

    def resume(self, *words: object):
        return self.succeed("train", "--out", self.out, "--resume", *words)

    def test_a_finished_run_says_so_and_is_left_alone(self):
        before = snapshot(self.out)
        self.assertIn("finished", self.resume().stderr)
        self.assertEqual(snapshot(self.out), before)

    def test_the_preset_of_a_finished_run_may_be_named_again(self):
        before = snapshot(self.out)
        done = self.succeed("train", "glyphs", "--out", self.out, "--resume",
                            *settings(*harness.TINY_GLYPHS))
        self.assertIn("finished", done.stderr)
        self.assertEqual(snapshot(self.out), before)

    def test_a_key_that_makes_another_run_is_refused_by_name(self):
        before = snapshot(self.out)
        done = harness.run("train", "--out", self.out, "--resume",
                           *settings("training.batch=16", "model.dropout=0.5"))
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("training.batch: the run has 8, asked for 16", done.stderr)
        self.assertIn("model.dropout: the run has 0.0, asked for 0.5", done.stderr)
        self.assertEqual(snapshot(self.out), before)

    def test_more_steps_go_on_as_if_there_had_been_no_end(self):
        self.resume("--steps", 20)
        whole = self.folder / "whole"
        self.train(whole, "--steps", 20, *self.every)
        self.assertEqual(readers.differences(*map(readers.content, (self.out, whole))), [])

    def test_more_steps_may_be_a_key_of_the_config(self):
        self.resume(*settings("training.steps=12"))
        self.assertEqual(readers.last_step(self.out), 12)

    def test_how_often_to_log_may_change(self):
        self.resume("--steps", 14, *settings("training.log_every=2"))
        steps = [line["step"] for line in readers.metrics(self.out)]
        self.assertEqual(steps, [1, 5, 10, 12, 14])

    def test_a_newest_checkpoint_with_a_flipped_byte_is_passed_over(self):
        whole = readers.content(self.out)
        damaged = self.out / "checkpoints" / "step-00000010" / "model.safetensors"
        data = bytearray(damaged.read_bytes())
        data[len(data) // 2] ^= 1
        damaged.write_bytes(data)
        done = self.resume()
        self.assertRegex(done.stderr, r"warning: checkpoint step-00000010 .*model\.safetensors")
        self.assertIn("going on from step-00000005", done.stderr)
        self.assertEqual(readers.differences(readers.content(self.out), whole), [])

    def test_a_run_that_is_not_there_is_refused_with_the_nearest(self):
        self.fail_with(2, '"' + str(self.out) + '"',
                       words=("train", "--out", self.folder / "rum", "--resume"))
        self.assertFalse((self.folder / "rum").exists())


class InitFrom(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source, self.out = self.folder / "source", self.folder / "out"
        self.train(self.source, "--steps", 4)
        self.start = self.source / "checkpoints" / "step-00000004" / "ema.safetensors"

    def test_a_run_starts_from_the_averaged_weights_of_another(self):
        # A rate that changes no weight by more than 1e-20 in its one step.
        self.train(self.out, "--steps", 1, "--seed", 5, "--init-from", self.source,
                   *settings("training.learning_rate=1e-20"))
        averages = readers.tensors(self.start)
        weights = readers.tensors(self.out / "checkpoints" / "step-00000001" / "model.safetensors")
        self.assertEqual(averages.keys(), weights.keys())
        for name, values in weights.items():
            self.assertLessEqual(abs(values - averages[name]).max(), 1e-19, name)

    def test_weights_of_another_shape_are_refused_and_nothing_is_begun(self):
        self.fail_with(2, "of shape", words=(
            "train", "glyphs", "--out", self.out, "--init-from", self.source,
            *settings(*harness.TINY_GLYPHS, "model.channels=16"), "--steps", 1))
        self.assertFalse((self.out / "config.toml").exists())

    def test_a_run_to_replace_survives_a_start_that_fails(self):
        self.train(self.out, "--steps", 2)
        before = snapshot(self.out)
        self.fail_with(2, "of shape", words=(
            "train", "glyphs", "--out", self.out, "--init-from", self.source, "--force",
            *settings(*harness.TINY_GLYPHS, "model.channels=16"), "--steps", 1))
        self.assertEqual(snapshot(self.out), before)

    def test_a_run_that_is_not_there_is_refused_with_the_nearest(self):
        self.fail_with(2, '"' + str(self.source) + '"', words=(
            "train", "glyphs", "--out", self.out, "--init-from", self.folder / "sourse",
            *settings(*harness.TINY_GLYPHS)))


if __name__ == "__main__":
    harness.main()
