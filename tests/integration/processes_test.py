#!/usr/bin/env python3
"""tinta as several processes: the same numbers as one, whoever starts them.

usage: processes_test.py TINTA [unittest arguments]
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy

import harness
import ranks
import readers
import recognised_test
from harness import settings

STEPS = 12


class SameNumbers(ranks.ProcessesTest):
    def test_any_number_of_processes_gives_the_same_loss_curve(self):
        validations, curves = {}, {}
        for size in (1, 2, 3, 4):  # shares of 8 by 3 are uneven
            run = self.folder / f"run-{size}"
            more = settings("training.sample_every=6", "training.accumulate=2")
            self.all_succeed(ranks.ended(
                size, *ranks.words(run, "--steps", STEPS, *ranks.EVERY, *more)))
            curves[size] = ranks.curve(run)
            validations[size] = [json.loads(line)["loss"] for line in
                                 (run / "validation.jsonl").read_text().splitlines()]
            self.assertTrue((run / "samples" / "step-00000012.png").exists())
            self.assertEqual(readers.checkpoint_faults(
                run / "checkpoints" / readers.checkpoints(run)[-1]), [])
        self.assertEqual(len(curves[1]), STEPS)
        self.assertEqual(len(validations[1]), 2)
        for size in (2, 3, 4):
            self.all_close(curves[size], curves[1])
            self.all_close(validations[size], validations[1])

    def test_a_run_goes_on_with_another_number_of_processes(self):
        alone, run = self.folder / "alone", self.folder / "run"
        self.all_succeed(ranks.ended(1, *ranks.words(alone, "--steps", STEPS, *ranks.EVERY)))
        self.all_succeed(ranks.ended(2, *ranks.words(run, "--steps", 4, *ranks.EVERY)))
        self.all_succeed(ranks.ended(3, "train", "--out", run, "--resume", "--steps", 8))
        self.all_succeed(ranks.ended(1, "train", "--out", run, "--resume", "--steps", STEPS))
        self.assertEqual(ranks.steps_of(run), list(range(1, STEPS + 1)))
        self.all_close(ranks.curve(run), ranks.curve(alone))

    def test_a_run_goes_on_with_as_many_processes_bit_for_bit(self):
        alone, run = self.folder / "alone", self.folder / "run"
        self.all_succeed(ranks.ended(2, *ranks.words(alone, "--steps", 10, *ranks.EVERY)))
        self.all_succeed(ranks.ended(2, *ranks.words(run, "--steps", 5, *ranks.EVERY)))
        self.all_succeed(ranks.ended(2, "train", "--out", run, "--resume", "--steps", 10))
        weights = [readers.tensors(folder / "checkpoints" / "step-00000010" / "model.safetensors")
                   for folder in (alone, run)]
        for name, wanted in weights[0].items():
            self.assertTrue((weights[1][name] == wanted).all(), name)

    def test_a_finished_run_and_a_budget_of_minutes_end_every_rank(self):
        run = self.folder / "run"
        self.all_succeed(ranks.ended(2, *ranks.words(run, "--minutes", 0.02)))
        self.all_succeed(ranks.ended(2, "train", "--out", run, "--resume", "--minutes", 0.02))

    def test_pictures_and_measures_are_those_of_one_process(self):
        run = self.folder / "run"
        self.all_succeed(ranks.ended(1, *ranks.words(run, "--steps", STEPS)))
        pictures, measures = {}, {}
        for size in (1, 2, 3):
            name = self.folder / f"drawn-{size}"
            # Batches of 4: 5 of them, the last one not whole.
            self.all_succeed(ranks.ended(size, "sample", run, "-n", 18, "--steps", 3, "--batch", 4,
                                         "-o", f"{name}.png", "--npz", f"{name}.npz"))
            pictures[size] = (Path(f"{name}.png").read_bytes(), Path(f"{name}.npz").read_bytes())
            ended = ranks.ended(size, "denoise", run, "--t", "20,60", "--limit", 12, "--batch", 5,
                                "--json", "-o", f"{name}-denoised.png")
            self.all_succeed(ended)
            measures[size] = json.loads(ended[0][1])
        for size in (2, 3):
            self.assertEqual(pictures[size], pictures[1])
            for key, wanted in measures[1].items():
                if isinstance(wanted, list):
                    self.all_close(measures[size][key], wanted)


    def test_an_evaluation_is_that_of_one_process(self):
        data, judge, run = (self.folder / name for name in ("data", "judge.safetensors", "run"))
        data.mkdir()
        numpy.savez(data / "train.npz", **recognised_test.pictures(120, 1))
        numpy.savez(data / "test.npz", **recognised_test.pictures(30, 2))
        cache = {"env": harness.environment(TINTA_CACHE=str(self.folder / "cache"))}
        self.succeed("classifier", "train", "--data", data, "--features", 8, "--epochs", 1,
                     "--out", judge, **cache)
        self.succeed("train", "arrays", "--data", data, "--out", run, "--steps", 2,
                     *settings(*harness.TINY, "model.classes=3",
                               f"data.size={recognised_test.SIDE}"), **cache)
        found = []
        for size in (1, 2, 3):
            ended = ranks.ended(size, "eval", run, "--metrics", "recognised", "--classifier", judge,
                                "--per-class", 5, "--batch", 4, "--json")
            self.all_succeed(ended)
            found.append({**json.loads(ended[0][1]), "seconds": 0})
        self.assertEqual(found, [found[0]] * 3)


class Launchers(ranks.ProcessesTest):
    def test_the_variables_of_mpi_are_understood(self):
        kinds = (("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE"))
        for which, (rank, size) in enumerate(kinds):
            run, port = self.folder / f"run-{which}", str(ranks.free_port())
            variables = [{rank: str(i), size: "2", "MASTER_ADDR": "localhost", "MASTER_PORT": port}
                         for i in range(2)]
            with ranks.Ranks(ranks.words(run, "--steps", 3), variables) as processes:
                self.all_succeed(processes.wait())
            self.assertEqual(readers.last_step(run), 3)

    def beside_python(self, name: str) -> Path:
        program = Path(sys.executable).parent / name
        if not program.exists():
            if ranks.in_ci():
                self.fail(f"expected {name} beside {sys.executable}, got none")
            self.skipTest(f"no {name} beside {sys.executable}")
        return program

    def test_open_mpi_starts_it(self):
        run = self.folder / "run"
        words = (self.beside_python("mpirun"), "--allow-run-as-root", "--map-by", ":OVERSUBSCRIBE",
                 "-np", 2, harness.tinta, *ranks.words(run, "--steps", 5))
        done = subprocess.run(
            [*map(str, words)],
            env=ranks.environment(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(ranks.free_port())),
            capture_output=True, text=True, timeout=harness.PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("finished at step 5"), 1, done.stdout)

    def torchrun(self, *more: object) -> list[object]:
        return [self.beside_python("torchrun"), "--no-python", "--master-port", ranks.free_port(), "--nproc-per-node", 2,
                *more, harness.tinta]

    def test_torchrun_starts_it(self):
        run = self.folder / "run"
        words = (*self.torchrun(), *ranks.words(run, "--steps", 5))
        done = subprocess.run([*map(str, words)],
                              env=ranks.environment(), capture_output=True, text=True,
                              timeout=harness.PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("finished at step 5"), 1, done.stdout)

    def test_torchrun_starts_it_again_where_a_rank_was_killed(self):
        run = self.folder / "run"
        process = subprocess.Popen(
            [*map(str, self.torchrun("--max-restarts", 1)),
             *map(str, ranks.words(run, "--steps", 400, "--resume",
                             *settings("training.checkpoint_every=10", "training.log_every=1")))],
            env=ranks.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertTrue(harness.wait_until(lambda: readers.last_step(run) >= 20, process))
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True,
                                  check=True).stdout.split()
        os.kill(int(children[-1]), signal.SIGKILL)
        _, stderr = process.communicate(timeout=2 * harness.PATIENCE)
        self.assertEqual(process.returncode, 0, stderr)
        self.assertRegex(stderr, "going on from step-")
        self.assertEqual(ranks.steps_of(run), list(range(1, 401)))


if __name__ == "__main__":
    harness.main()
