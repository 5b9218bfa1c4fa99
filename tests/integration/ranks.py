"""Several processes of tinta on one thing: what the tests of that share."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import harness
import readers
from harness import ProgramTest, settings

# Two sums of the same numbers in another order, and nothing else; see docs/processes.md.
CLOSE = 1e-4
EVERY = settings("training.log_every=1", "training.checkpoint_every=5", "data.validation=0.25",
                 "training.validate_every=6")

# What launchers leave, none of which a test should get from whoever runs it.
LAUNCHERS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_", "TORCHELASTIC_", "OMPI_", "PMI_",
             "MPI_LOCALRANKID", "GLOO_")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def environment(**variables: str) -> dict[str, str]:
    clean = {name: value for name, value in harness.environment().items()
             if not name.startswith(LAUNCHERS)}
    return {**clean, **variables}


def plain(rank: int, size: int, port: int, address: str = "127.0.0.1") -> dict[str, str]:
    """The variables of LibTorch's launchers, set by hand."""
    return {"RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": address,
            "MASTER_PORT": str(port)}


class Ranks:
    """Processes of one command, in the background."""

    def __init__(self, words: Sequence[object], variables: Sequence[Mapping[str, str]],
                 before: Sequence[Sequence[str]] = ()):
        """before: for each process the words that come before tinta"""
        self.processes = [
            subprocess.Popen([*(before[rank] if before else ()), harness.tinta, *map(str, words)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env=environment(**own))
            for rank, own in enumerate(variables)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def __getitem__(self, rank: int) -> subprocess.Popen:
        return self.processes[rank]

    def wait(self, patience: float = harness.PATIENCE, but: Sequence[int] = ()) -> list[tuple]:
        """(exit code, stdout, stderr) of every rank but some, all of which end in time."""
        end = time.monotonic() + patience
        return [(process.wait(max(end - time.monotonic(), 0.01)), *process.communicate())
                for rank, process in enumerate(self.processes) if rank not in but]


def started(size: int, *words: object) -> Ranks:
    port = free_port()
    return Ranks(words, [plain(rank, size, port) for rank in range(size)])


def ended(size: int, *words: object) -> list[tuple]:
    """Runs a command as `size` processes to its end; one is run without a launcher."""
    with (started(size, *words) if size > 1 else Ranks(words, [{}])) as ranks:
        return ranks.wait()


def complaints(stderr: str) -> list[str]:
    return [line for line in stderr.splitlines() if line.startswith("tinta: ")]


def in_ci() -> bool:
    return os.environ.get("CI") == "true"


def words(run: Path, *more: object) -> tuple:
    return ("train", "glyphs", "--out", run, "--precision", "fp32",
            *settings(*harness.TINY_GLYPHS), *more)


def curve(run: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def steps_of(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]


class ProcessesTest(ProgramTest):
    def all_succeed(self, ended: list[tuple]) -> None:
        for rank, (code, stdout, stderr) in enumerate(ended):
            self.assertEqual(code, 0, f"rank {rank}: {stderr}")
            if rank > 0:
                self.assertEqual((stdout, stderr), ("", ""), "rank 0 alone speaks")

    def all_close(self, got: list[float], wanted: list[float]) -> None:
        self.assertEqual(len(got), len(wanted))
        for step, (a, b) in enumerate(zip(got, wanted, strict=True), start=1):
            self.assertAlmostEqual(a, b, delta=CLOSE * max(1, abs(b)), msg=f"line {step}")

    def all_end_with(self, code: int, text: str, ended: list[tuple]) -> None:
        """Each with one line that says why."""
        for got, stdout, stderr in ended:
            self.assertEqual(got, code, stderr)
            self.assertEqual(stdout, "")
            lines = complaints(stderr)
            self.assertEqual(len(lines), 1, stderr)
            self.assertIn(text, lines[0])

    def until_logged(self, run: Path, processes: Ranks, step: int = 3) -> None:
        self.assertTrue(harness.wait_until(lambda: readers.last_step(run) >= step, processes[0]))
