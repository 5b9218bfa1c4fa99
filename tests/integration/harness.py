"""Running tinta as a user does: what the tests of the whole program share.

A test script begins `usage: NAME_test.py TINTA [unittest arguments]` and ends with harness.main().
"""

import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy

tinta = ""  # the program; set by main()

# Longer than anything here takes, even on a busy machine: a test that hangs ends with a word on why.
PATIENCE = 60  # seconds

TINY_MODEL = ("model.channels=8", "model.groups=4", "model.multipliers=1,1",
              "model.attention_levels=")
# A run whose steps take milliseconds.
TINY = (*TINY_MODEL, "process.steps=100", "training.batch=8", "training.warmup_steps=2",
        "training.decay=constant", "training.sample_every=0", "sampling.steps=2")
TINY_GLYPHS = (*TINY, "data.count=64")


def settings(*assignments: str) -> list[str]:
    """The words --set KEY=VALUE for each."""
    return [word for assignment in assignments for word in ("--set", assignment)]


def environment(**variables: str) -> dict[str, str]:
    """One thread of the CPU, and none of the caller's TINTA_ variables."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TINTA_")}
    return {**clean, "TINTA_DEVICE": "cpu", "TINTA_THREADS": "1", "OMP_WAIT_POLICY": "passive",
            **variables}


def run(*words: object, full_after: int = 0, memory: int = 0, patience: float = PATIENCE,
        **options) -> subprocess.CompletedProcess:
    """Runs tinta to its end.

    full_after: bytes beyond which writing to a file fails, as it does where a disk is full.
    memory: bytes that it may have of its own; what it maps of files does not count.
    """

    def limit() -> None:
        if full_after:
            # Ignored, the signal turns into an error of write().
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (full_after, full_after))
        if memory:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment(), **options}
    return subprocess.run([tinta, *map(str, words)], text=True, timeout=patience, check=False,
                          preexec_fn=limit if full_after or memory else None, **given)


def start(*words: object, **options) -> subprocess.Popen:
    """Starts tinta in the background."""
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment(), **options}
    return subprocess.Popen([tinta, *map(str, words)], text=True, **given)


def wait_until(condition: Callable[[], bool], process: subprocess.Popen) -> bool:
    """Whether the condition came true while the process ran; looks every millisecond."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return process.poll() is None
        if process.poll() is not None:
            return False
        time.sleep(0.001)
    raise TimeoutError(f"waited {PATIENCE} s for {condition}")


def write_png(path: Path, pixels: numpy.ndarray) -> Path:
    """Grey [H,W] or RGB [H,W,3] bytes as a PNG."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if pixels.ndim == 2 else 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels.astype(numpy.uint8))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                     + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


class ProgramTest(unittest.TestCase):
    """A test with a folder of its own, which goes when it ends."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tinta-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def succeed(self, *words: object, **options) -> subprocess.CompletedProcess:
        done = run(*words, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def train(self, out: Path, *words: object, preset: str = "glyphs") -> subprocess.CompletedProcess:
        """Trains the tiny model; words may change its settings."""
        tiny = TINY_GLYPHS if preset == "glyphs" else TINY
        return self.succeed("train", preset, "--out", out, *settings(*tiny), *words)

    def fail_with(self, code: int, *parts: str, words: tuple, **options) -> None:
        """The command ends with this code and, last, one line on stderr that holds the parts."""
        done = run(*words, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        lines = done.stderr.splitlines()
        complaints = [line for line in lines if line.startswith("tinta: ")]
        self.assertEqual(complaints, lines[-1:], done.stderr)
        self.assertFalse(done.stdout)
        for part in parts:
            self.assertIn(part, complaints[0])

    def assert_nothing_half_written(self, folder: Path) -> None:
        self.assertEqual([path for path in folder.rglob("*") if ".tmp-" in path.name], [])


def main() -> None:
    """Runs the tests of the script: its first argument is the program, others go to unittest."""
    global tinta
    tinta = str(Path(sys.argv.pop(1)).resolve())
    unittest.main(module="__main__")
