#!/usr/bin/env python3
"""tinta train on a disk that fails, that is full, or that hangs: tests/faults/file_faults.h.

usage: faults_test.py TINTA [unittest arguments]
With LONG=1 in the environment every call of a run is made to fail, not a few of them.
"""

import errno
import os
import signal
import subprocess
from pathlib import Path

import harness
import readers
from harness import ProgramTest, settings

EVERY = settings("training.log_every=1", "training.checkpoint_every=2", "training.sample_every=3")
STEPS = 4
LONG = bool(os.environ.get("LONG"))


def faulty(prefix: Path, **variables: object) -> dict[str, str]:
    """The environment of a program whose calls on files below `prefix` fail as told."""
    library = Path(harness.tinta).parent / "libtinta_file_faults.so"
    assert library.exists(), library
    return harness.environment(LD_PRELOAD=str(library), TINTA_FAULT_PREFIX=str(prefix), **{
        f"TINTA_FAULT_{name.upper()}": str(value) for name, value in variables.items()})


class EachCall(ProgramTest):
    def setUp(self):
        super().setUp()
        self.alone, self.run_folder = self.folder / "alone", self.folder / "run"
        self.log = self.folder / "faults.log"
        self.train(self.alone, "--steps", STEPS, *EVERY)
        self.expected = readers.content(self.alone)

    def words(self, *more: str) -> tuple:
        return ("train", "glyphs", "--out", self.run_folder, "--steps", STEPS,
                *settings(*harness.TINY_GLYPHS), *EVERY, *more)

    def calls(self) -> int:
        """How many calls a run makes."""
        self.succeed(*self.words("--force"), env=faulty(self.run_folder, log=self.log))
        (count,) = [line.split()[1] for line in self.log.read_text("utf-8").splitlines()
                    if line.startswith("calls ")]
        return int(count)

    def test_whatever_call_fails_the_run_ends_with_one_line_and_goes_on_later(self):
        total = self.calls()
        self.assertGreater(total, 60)
        actions = (errno.ENOSPC, errno.EIO, "kill")
        stride = 1 if LONG else max(1, total // 12)
        for number, at in enumerate(range(1, total + 1, stride)):
            action = actions[number % 3]
            self.log.unlink(missing_ok=True)
            subprocess.run(["rm", "-rf", self.run_folder], check=True)
            done = harness.run(*self.words(), env=faulty(
                self.run_folder, at=at, count=0 if action == errno.ENOSPC else 1, action=action,
                log=self.log))
            with self.subTest(call=at, action=action, log=self.log.read_text("utf-8")):
                if action == "kill":
                    self.assertEqual(done.returncode, -signal.SIGKILL)
                elif not self.only_the_log_failed():
                    self.assertEqual(done.returncode, 1, done.stderr)
                    complaints = [line for line in done.stderr.splitlines()
                                  if line.startswith("tinta: ")]
                    self.assertEqual(len(complaints), 1, done.stderr)
                    self.assertIn(str(self.run_folder), complaints[0])
                    self.assert_nothing_half_written(self.run_folder)
                for name in readers.checkpoints(self.run_folder):
                    self.assertEqual(
                        readers.checkpoint_faults(self.run_folder / "checkpoints" / name), [])
                self.succeed(*self.words("--resume"))
                self.assertEqual(
                    readers.differences(self.expected, readers.content(self.run_folder)), [])
                self.assert_nothing_half_written(self.run_folder)

    def only_the_log_failed(self) -> bool:
        """A line of log.jsonl that is lost costs nothing else."""
        failed = [line for line in self.log.read_text("utf-8").splitlines()
                  if not line.startswith("calls ")]
        return all(line.endswith("log.jsonl") for line in failed)


class FullDisk(ProgramTest):
    """A file system of its own, as small as can be."""

    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.size = 400
        if self.mount(f"size={self.size}k") != 0:
            self.skipTest("expected the right to mount a small file system, got none")
        self.addCleanup(subprocess.run, ["umount", self.disk], check=True)

    def mount(self, options: str) -> int:
        return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.disk],
                              check=False, capture_output=True).returncode

    def test_a_run_that_fills_the_disk_stops_and_goes_on_with_more_room(self):
        run, alone = self.disk / "run", self.folder / "alone"
        words = settings("training.checkpoint_every=5", "training.keep_checkpoints=0")
        self.train(alone, "--steps", 40, *words)
        done = harness.run("train", "glyphs", "--out", run, "--steps", 40,
                           *settings(*harness.TINY_GLYPHS), *words)
        self.assertEqual(done.returncode, 1, done.stderr)
        last = done.stderr.splitlines()[-1]
        self.assertIn("No space left on device", last)
        saved = readers.checkpoints(run)
        self.assertGreater(len(saved), 0, "there was room for some")
        self.assertLess(len(saved), 8)
        for name in saved:
            self.assertEqual(readers.checkpoint_faults(run / "checkpoints" / name), [])
        self.assert_nothing_half_written(run)
        self.assertEqual(self.mount("remount,size=8m"), 0)
        self.succeed("train", "--out", run, "--resume")
        self.assertEqual(readers.differences(*map(readers.content, (alone, run))), [])


class SecondSignal(ProgramTest):
    """A process that hangs where it writes: the first signal is heard, the second ends it."""

    def hanging(self, below: str) -> tuple[subprocess.Popen, Path]:
        run = self.folder / "run"
        log = self.folder / "faults.log"
        process = subprocess.Popen(
            [harness.tinta, "train", "glyphs", "--out", str(run), "--steps", "50",
             *settings(*harness.TINY_GLYPHS, *EVERY[1::2])],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=faulty(run / below, at=3, action="hang", log=log))
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertTrue(harness.wait_until(log.exists, process))
        return process, run

    def end_by_two(self, process: subprocess.Popen, number: signal.Signals) -> None:
        process.send_signal(number)
        while "once more stops at once" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        self.assertIsNone(process.poll(), "it still hangs")
        process.send_signal(number)
        self.assertEqual(process.wait(timeout=harness.PATIENCE), 128 + number)

    def test_it_ends_a_run_at_once_inside_a_save(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process, run = self.hanging("checkpoints")
            self.assertTrue(list(run.glob("checkpoints/.tmp-*")), "inside a save")
            self.end_by_two(process, number)
            done = self.succeed("train", "--out", run, "--resume", "--steps", 6)
            self.assertIn("no checkpoint to go on from", done.stderr)
            subprocess.run(["rm", "-rf", run, self.folder / "faults.log"], check=True)

    def test_it_ends_a_run_at_once_while_a_preview_is_written(self):
        process, run = self.hanging("samples")
        self.assertEqual(readers.checkpoints(run), ["step-00000002"])
        self.end_by_two(process, signal.SIGTERM)
        self.succeed("train", "--out", run, "--resume", "--steps", 6)
        self.assertTrue((run / "samples" / "step-00000003.png").exists())


if __name__ == "__main__":
    harness.main()
