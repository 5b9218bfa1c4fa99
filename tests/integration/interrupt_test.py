#!/usr/bin/env python3
"""tinta when it is killed, interrupted, terminated or started twice.

usage: interrupt_test.py TINTA [unittest arguments]
"""

import shlex
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import harness
import readers
from harness import ProgramTest, settings

# Neither logs nor previews fall together with checkpoints.
EVERY = settings("training.log_every=3", "training.checkpoint_every=10",
                 "training.sample_every=25", "training.keep_checkpoints=2")
STEPS = 60
ATTEMPTS = 10
PROMISED = 30  # seconds from a signal to the end, the save included


def saved(run: Path, step: int) -> Callable[[], bool]:
    return lambda: (run / "checkpoints" / f"step-{step:08}").exists()


def saving(run: Path) -> Callable[[], bool]:
    return lambda: any(run.glob("checkpoints/.tmp-*"))


def logged(run: Path, step: int) -> Callable[[], bool]:
    return lambda: readers.last_step(run) >= step


class Kill(ProgramTest):
    def killed(self, run: Path, when: Callable[[], bool], *words: object) -> bool:
        """Goes on with a run, or begins it with words, and kills it at that moment.

        Returns False where it ended before.
        """
        process = harness.start("train", "glyphs", "--out", run, "--steps", STEPS,
                                *settings(*harness.TINY_GLYPHS), *EVERY,
                                *(words or ("--resume",)))
        if harness.wait_until(when, process):
            process.send_signal(signal.SIGKILL)
        _, stderr = process.communicate(timeout=harness.PATIENCE)
        self.assertIn(process.returncode, (0, -signal.SIGKILL), stderr)
        return process.returncode != 0

    def killed_at_all(self, run: Path) -> bool:
        """Kills one run at each of several moments; False where it was too fast for one."""
        moments = [logged(run, 1), saved(run, 10), logged(run, 18), saving(run), saved(run, 40),
                   lambda: (run / "samples" / "step-00000050.png").exists()]
        return all(self.killed(run, when) for when in moments)

    def until_killed(self, run: Path, attempt: Callable[[], bool]) -> None:
        """Tries again, from nothing, where a run was too fast to be killed."""
        for _ in range(ATTEMPTS):
            if attempt():
                return
            shutil.rmtree(run)
        self.fail(f"expected to kill a run before its end, got none in {ATTEMPTS} attempts")

    def test_a_run_killed_again_and_again_ends_with_the_bytes_of_one_left_alone(self):
        alone, run = self.folder / "alone", self.folder / "killed"
        self.train(alone, "--steps", STEPS, *EVERY)
        self.until_killed(run, lambda: self.killed_at_all(run))
        done = self.succeed("train", "--out", run, "--resume")
        self.assertRegex(done.stderr, r"going on from step-000000[45]0")
        contents = [readers.content(folder) for folder in (alone, run)]
        self.assertEqual(readers.differences(*contents), [])
        self.assertIn("samples/step-00000050.png", contents[0])
        self.assert_nothing_half_written(run)

    def test_a_run_from_the_weights_of_another_finds_them_again_after_a_kill(self):
        source, alone, run = (self.folder / name for name in ("source", "alone", "killed"))
        self.train(source, "--steps", 3)
        words = ("--init-from", source, *settings("training.checkpoint_every=0"))
        self.train(alone, "--steps", STEPS, *EVERY, *words)
        self.until_killed(run, lambda: self.killed(run, logged(run, 1), *words))
        shutil.rmtree(source)
        self.succeed("train", "--out", run, "--resume")
        self.assertEqual(readers.differences(*map(readers.content, (alone, run))), [])


class Signals(ProgramTest):
    """A budget that no test reaches: each run ends by its signal."""

    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "a run"
        self.process = harness.start("train", "glyphs", "--out", self.run_folder,
                                     "--steps", 1000000, *settings(*harness.TINY_GLYPHS))
        self.addCleanup(self.process.communicate)
        self.addCleanup(self.process.kill)
        self.assertTrue(harness.wait_until(logged(self.run_folder, 1), self.process))

    def end_with(self, number: signal.Signals) -> tuple[int, str, str]:
        self.process.send_signal(number)
        stdout, stderr = self.process.communicate(timeout=PROMISED)
        return self.process.returncode, stdout, stderr

    def assert_saved_at_its_last_step(self) -> int:
        step = readers.last_step(self.run_folder)
        newest = readers.checkpoints(self.run_folder)[-1]
        self.assertEqual(newest, f"step-{step:08}")
        self.assertEqual(readers.checkpoint_faults(self.run_folder / "checkpoints" / newest), [])
        return step

    def test_an_interrupt_saves_and_the_command_that_it_prints_goes_on(self):
        code, stdout, stderr = self.end_with(signal.SIGINT)
        self.assertEqual(code, 130, stderr)
        self.assertIn("stopping after this step", stderr)
        step = self.assert_saved_at_its_last_step()
        (command,) = [line.removeprefix("go on with: ") for line in stdout.splitlines()
                      if line.startswith("go on with: ")]
        program, *words = shlex.split(command)
        self.assertEqual(program, "tinta")
        self.succeed(*words, "--steps", step + 5)
        alone = self.folder / "alone"
        self.train(alone, "--steps", step + 5)
        name = f"checkpoints/step-{step + 5:08}/"
        contents = [readers.content(folder) for folder in (alone, self.run_folder)]
        for file in ("model.safetensors", "ema.safetensors", "optimizer.safetensors"):
            self.assertEqual(contents[0][name + file], contents[1][name + file], file)

    def test_a_termination_saves(self):
        code, stdout, stderr = self.end_with(signal.SIGTERM)
        self.assertEqual(code, 143, stderr)
        self.assert_saved_at_its_last_step()
        self.assertIn("--resume", stdout)

    def test_a_folder_in_use_is_refused_with_the_process_that_uses_it(self):
        for word in ("--resume", "--force"):
            self.fail_with(1, "in use by process " + str(self.process.pid), words=(
                "train", "glyphs", "--out", self.run_folder, word, "--steps", 1000000,
                *settings(*harness.TINY_GLYPHS)))
        # It is none the worse for it.
        self.assertIsNone(self.process.poll())
        self.assertEqual(self.end_with(signal.SIGTERM)[0], 143)
        self.assert_saved_at_its_last_step()


class Sampling(ProgramTest):
    def test_an_interrupted_command_writes_nothing(self):
        run = self.folder / "run"
        self.train(run, "--steps", 1)
        before = readers.content(run)
        levels = ",".join(map(str, range(50, 101)))
        for command, words in (("sample", ("-n", 4096, "--sampler", "ddpm", "--steps", 100)),
                               ("denoise", ("--t", levels, "--chain-images", 10))):
            process = harness.start(command, run, *words, "--npz", self.folder / "out.npz")
            line = process.stderr.readline()  # the first word on how far it is
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=harness.PATIENCE)
            self.assertEqual(process.returncode, 130, line + stderr)
            self.assertEqual(stdout, "")
            self.assertEqual(readers.content(run), before)
            self.assertFalse((self.folder / "out.npz").exists())


if __name__ == "__main__":
    harness.main()
