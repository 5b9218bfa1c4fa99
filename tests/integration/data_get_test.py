#!/usr/bin/env python3
"""tinta data get against a server on this machine: resuming, cut connections, wrong checksums. No
other host is asked.

usage: data_get_test.py TINTA [unittest arguments]

The files are MNIST's originals, whose checksums the program knows: they are looked for in the folder
"mnist" of TINTA_TEST_DATA; where they are absent, the tests are skipped, or fail where CI=true.
"""

import hashlib
import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import harness
from harness import ProgramTest

DATA = Path(os.environ.get("TINTA_TEST_DATA")
            or os.environ.get("TINTA_TEST_DATA_DEFAULT")
            or Path(__file__).resolve().parents[3] / "shared" / "data")
IMAGES = "train-images-idx3-ubyte.gz"
NAMES = (IMAGES, "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
         "t10k-labels-idx1-ubyte.gz")
# The first file of each set and its MD5, as torchvision's readers of the sets have it.
FIRST_FILES = {
    "mnist": (IMAGES, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
    "fashion-mnist": (IMAGES, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    "kmnist": (IMAGES, "bdb82020997e1d708af4cf47b453dcf7"),
    "cifar10": ("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),
    "cifar100": ("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"),
}


class Mirror(ThreadingHTTPServer):
    """Serves files from memory, and can be told to misbehave."""

    def __init__(self, files: dict[str, bytes]):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.asked: list[tuple[str, int]] = []  # name, first byte asked for
        self.cuts: list[int] = []  # of the next answers: bytes after which the connection is cut
        self.ranges = True
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that hangs up is no fault of the server's."""

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/sets"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802 (the base class's name)
        name = self.path.removeprefix("/sets/")
        begin = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, "0"])[1])
        self.server.asked.append((name, begin))
        content = self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        if begin and self.server.ranges and begin >= len(content):
            self.send_error(416)
            return
        partial = bool(begin) and self.server.ranges
        body = content[begin:] if partial else content
        self.send_response(206 if partial else 200)
        self.send_header("Content-Length", str(len(body)))
        if partial:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        # Less than was promised: the connection ends in the middle.
        cut = self.server.cuts.pop(0) if self.server.cuts else None
        self.wfile.write(body[:cut])

    def log_message(self, *_):
        pass


class Get(ProgramTest):
    def setUp(self):
        super().setUp()
        if not (DATA / "mnist" / IMAGES).exists():
            reason = f"no MNIST in {DATA / 'mnist'}; TINTA_TEST_DATA names the folder above it"
            if os.environ.get("CI") == "true":
                self.fail(reason)
            self.skipTest(reason)
        self.originals = {name: (DATA / "mnist" / name).read_bytes() for name in NAMES}
        self.mirror = Mirror(dict(self.originals))
        self.addCleanup(self.mirror.close)
        self.out = self.folder / "mnist"

    def words(self) -> tuple:
        return ("data", "get", "mnist", "--out", self.out, "--mirror", self.mirror.url)

    def get(self, *words: str):
        return self.succeed(*self.words(), *words, env=harness.environment(no_proxy="*"))

    def assert_whole(self) -> None:
        self.assertEqual({path.name for path in self.out.iterdir()}, set(NAMES))
        for name in NAMES:
            self.assertEqual((self.out / name).read_bytes(), self.originals[name], name)

    def test_files_are_fetched_once_and_can_be_trained_on(self):
        report = json.loads(self.get("--json").stdout)
        self.assertEqual([file["already_there"] for file in report["files"]], [False] * 4)
        self.assertEqual([file["md5"] for file in report["files"]],
                         [hashlib.md5(self.originals[name]).hexdigest() for name in NAMES])
        self.assert_whole()
        asked = len(self.mirror.asked)
        self.assertIn(f"tinta train --data {self.out}", self.get().stdout)
        self.assertEqual(len(self.mirror.asked), asked)

    def test_a_cut_connection_is_taken_up_where_it_was_cut(self):
        self.mirror.cuts = [300_000, 1_000_000]
        self.get()
        self.assert_whole()
        self.assertEqual(self.mirror.asked[:3], [(IMAGES, 0), (IMAGES, 300_000), (IMAGES, 1_300_000)])

    def test_what_an_earlier_call_left_is_gone_on_with(self):
        self.out.mkdir()
        (self.out / (IMAGES + ".part")).write_bytes(self.originals[IMAGES][:12345])
        self.get()
        self.assert_whole()
        self.assertEqual(self.mirror.asked[0], (IMAGES, 12345))

    def test_a_server_that_cannot_go_on_begins_anew(self):
        self.mirror.ranges = False
        self.mirror.cuts = [5000]
        self.get()
        self.assert_whole()

    def test_a_part_that_is_as_long_as_the_file_begins_anew(self):
        self.out.mkdir()
        (self.out / (IMAGES + ".part")).write_bytes(bytes(len(self.originals[IMAGES])))
        self.get()
        self.assert_whole()

    def test_another_checksum_is_refused_and_the_file_removed(self):
        damaged = bytearray(self.originals[IMAGES])
        damaged[1000] ^= 1
        self.mirror.files[IMAGES] = bytes(damaged)
        self.fail_with(1, "f68b3c2dcbeaaa9fbdd348bbdeb94873", hashlib.md5(damaged).hexdigest(),
                       words=self.words(), env=harness.environment(no_proxy="*"))
        self.assertEqual(list(self.out.iterdir()), [])
        self.mirror.files[IMAGES] = self.originals[IMAGES]
        self.get()
        self.assert_whole()

    def test_a_mirror_without_the_file_or_without_a_server_is_named(self):
        del self.mirror.files[IMAGES]
        done = harness.run(*self.words(), env=harness.environment(no_proxy="*"))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("404", done.stderr)
        self.assertIn(self.mirror.url, done.stderr)
        self.mirror.cuts = [0] * 20
        self.mirror.files = dict(self.originals)
        done = harness.run(*self.words(), env=harness.environment(no_proxy="*"))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(self.mirror.asked), 6)  # five tries without a byte

    def test_the_next_mirror_is_asked_where_one_fails(self):
        without, damaged = Mirror({}), Mirror(dict(self.originals))
        for mirror in (without, damaged):
            self.addCleanup(mirror.close)
        damaged.files[IMAGES] = bytes(len(self.originals[IMAGES]))
        # One that does not answer, one without the files, one with a wrong one, the good one.
        self.succeed("data", "get", "mnist", "--out", self.out, "--mirror", "http://127.0.0.1:1/",
                     "--mirror", without.url, "--mirror", damaged.url, "--mirror", self.mirror.url,
                     env=harness.environment(no_proxy="*"))
        self.assert_whole()
        self.assertEqual([name for name, _ in without.asked], list(NAMES))
        self.assertEqual([name for name, _ in damaged.asked], list(NAMES))
        self.assertEqual([name for name, _ in self.mirror.asked], [IMAGES])

    def test_every_set_is_asked_for_by_its_files_and_held_to_its_checksums(self):
        for name, (file, md5) in FIRST_FILES.items():
            mirror = Mirror({file: b"another file"})
            self.addCleanup(mirror.close)
            with self.subTest(name):
                self.fail_with(1, file, md5, hashlib.md5(b"another file").hexdigest(),
                               words=("data", "get", name, "--out", self.out, "--mirror", mirror.url),
                               env=harness.environment(no_proxy="*"))
                self.assertEqual([asked for asked, _ in mirror.asked], [file])

    def test_a_full_disk_is_said_and_what_came_is_kept(self):
        self.fail_with(1, IMAGES, "cannot write", words=self.words(), full_after=100_000,
                       env=harness.environment(no_proxy="*"))
        self.assertEqual((self.out / (IMAGES + ".part")).stat().st_size, 100_000)
        self.get()
        self.assert_whole()

    def test_unknown_sets_and_other_protocols_are_refused(self):
        self.fail_with(2, '"mnist"', words=("data", "get", "mnits"))
        self.fail_with(2, "--mirror", words=("data", "get", "mnist", "--mirror", "http://a/",
                                             "--mirror", "file:///tmp"))


if __name__ == "__main__":
    harness.main()
