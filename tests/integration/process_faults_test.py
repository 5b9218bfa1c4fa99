#!/usr/bin/env python3
"""tinta as several processes when one is killed, stopped, interrupted or cut off, or does not fit.

usage: process_faults_test.py TINTA [unittest arguments]
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import harness
import ranks
import readers
from harness import settings

STEPS = 12
# A killed one is noticed by its connection: 5 seconds are promised on any machine.
SECONDS_TO_NOTICE = 5
ENDLESS = 1_000_000


class Faults(ranks.ProcessesTest):
    def running(self, size: int, run: Path, *more: object) -> ranks.Ranks:
        processes = ranks.started(size, *ranks.words(run, "--steps", ENDLESS, *ranks.EVERY, *more))
        self.addCleanup(processes.__exit__)
        self.until_logged(run, processes)
        return processes

    def test_a_killed_rank_ends_all_others_at_once_and_the_run_goes_on(self):
        for killed in (0, 1, 2):
            run = self.folder / f"killed-{killed}"
            processes = self.running(3, run)
            processes[killed].kill()
            ended = processes.wait(SECONDS_TO_NOTICE, but=[killed])
            self.all_end_with(1, f"rank {killed} ended without a word", ended)
            step = max(int(name.split("-")[1]) for name in readers.checkpoints(run) or ["step-0"])
            self.all_succeed(ranks.ended(2, "train", "--out", run, "--resume", "--steps", step + 9))
            self.assert_nothing_half_written(run)

    def test_a_stopped_rank_ends_the_others_when_its_time_is_over(self):
        timeout = 2
        for stopped in (0, 1):
            run = self.folder / f"stopped-{stopped}"
            processes = self.running(3, run, "--dist-timeout", timeout)
            processes[stopped].send_signal(signal.SIGSTOP)
            ended = processes.wait(timeout + 10, but=[stopped])
            self.all_end_with(1, f"rank {stopped} has said nothing for {timeout} s", ended)
            processes[stopped].send_signal(signal.SIGCONT)
            self.assertNotEqual(processes[stopped].wait(harness.PATIENCE), 0)

    def test_a_signal_to_any_rank_saves_and_stops_all_at_one_step(self):
        for asked, number, code in ((0, signal.SIGINT, 130), (1, signal.SIGTERM, 143)):
            run = self.folder / f"asked-{asked}"
            processes = self.running(2, run)
            processes[asked].send_signal(number)
            for rank, (got, stdout, stderr) in enumerate(processes.wait()):
                self.assertEqual(got, code, stderr)
                self.assertEqual("go on with: tinta train" in stdout, rank == 0)
            step = readers.last_step(run)
            self.assertEqual(readers.checkpoints(run)[-1], f"step-{step:08}")

    def test_an_error_of_one_rank_is_told_by_all(self):
        run = self.folder / "run"
        self.train(run, "--steps", 1)
        # Rank 0 alone looks at the folder.
        ended = ranks.ended(2, *ranks.words(run, "--steps", 2))
        self.all_end_with(2, "already holds a run", ended)
        self.assertIn("rank 0: ", ended[1][2])

    def test_what_cannot_work_together_is_refused(self):
        run = self.folder / "run"
        with ranks.Ranks(ranks.words(run, "--steps", 1, "--dist-timeout", 1),
                         [ranks.plain(0, 2, ranks.free_port())]) as alone:
            self.all_end_with(1, "expected 2 processes within 1 s, got no rank 1", alone.wait())
        with ranks.Ranks(ranks.words(run, "--steps", 1, "--dist-timeout", 1),
                         [ranks.plain(1, 2, ranks.free_port())]) as alone:
            self.all_end_with(1, "cannot reach rank 0 within 1 s", alone.wait())
        variables = {"RANK": "2", "WORLD_SIZE": "2"}
        with ranks.Ranks(ranks.words(run, "--steps", 1), [variables]) as wrong:
            self.all_end_with(2, "[RANK] expected a whole number from 0 to 1, got 2", wrong.wait())
        with ranks.Ranks(("bench",), [ranks.plain(0, 2, 1)]) as wrong:
            self.all_end_with(2, "expected one process for this command, got 2", wrong.wait())
        self.all_end_with(2, "[training.batch] expected a picture for each of 3 processes, got 2",
                          ranks.ended(3, *ranks.words(run, "--steps", 1,
                                                      *settings("training.batch=2"))))


class TwoMachines(ranks.ProcessesTest):
    """Two network namespaces, joined by a cable: nothing but the network is between the ranks."""

    def setUp(self):
        super().setUp()
        reason = ""
        if os.geteuid() != 0 or shutil.which("ip") is None:
            reason = "network namespaces need root and the program ip"
        else:
            self.names = [f"tinta-{os.getpid()}-{rank}" for rank in range(2)]
            for step in (["netns", "add", self.names[0]], ["netns", "add", self.names[1]],
                         ["link", "add", "name", "v0", "netns", self.names[0], "type", "veth",
                          "peer", "name", "v1", "netns", self.names[1]]):
                done = subprocess.run(["ip", *step], capture_output=True, text=True, check=False)
                if step[1] == "add" and step[0] == "netns" and done.returncode == 0:
                    self.addCleanup(subprocess.run, ["ip", "netns", "delete", step[2]], check=False)
                if done.returncode != 0:
                    reason = f"ip {' '.join(step)}: {done.stderr.strip()}"
                    break
        if reason:
            self.skipTest(reason)
        for rank in range(2):
            self.inside(rank, "addr", "add", f"10.77.0.{rank + 1}/24", "dev", f"v{rank}")
            self.inside(rank, "link", "set", f"v{rank}", "up")
            self.inside(rank, "link", "set", "lo", "up")  # by which a machine reaches itself

    def inside(self, rank: int, *step: str) -> None:
        subprocess.run(["ip", "-n", self.names[rank], *step], check=True, capture_output=True)

    def started(self, run: Path, *more: object) -> ranks.Ranks:
        port = 29500
        return ranks.Ranks(ranks.words(run, *more),
                           [ranks.plain(rank, 2, port, "10.77.0.1") for rank in range(2)],
                           [["ip", "netns", "exec", name] for name in self.names])

    def test_they_train_together_as_one_process_does(self):
        alone, run = self.folder / "alone", self.folder / "run"
        self.all_succeed(ranks.ended(1, *ranks.words(alone, "--steps", STEPS, *ranks.EVERY)))
        with self.started(run, "--steps", STEPS, *ranks.EVERY) as processes:
            self.all_succeed(processes.wait())
        self.all_close(ranks.curve(run), ranks.curve(alone))

    def test_a_cut_cable_ends_both_when_the_time_is_over(self):
        run, timeout = self.folder / "run", 2
        more = ("--steps", ENDLESS, "--dist-timeout", timeout, *ranks.EVERY)
        with self.started(run, *more) as processes:
            self.until_logged(run, processes)
            self.inside(0, "link", "set", "v0", "down")
            begun = time.monotonic()
            ended = processes.wait(timeout + 10)
            self.assertGreater(time.monotonic() - begun, timeout / 2)
            for rank, other in ((0, 1), (1, 0)):
                self.all_end_with(1, f"rank {other} has said nothing for {timeout} s",
                                  [ended[rank]])


if __name__ == "__main__":
    harness.main()
