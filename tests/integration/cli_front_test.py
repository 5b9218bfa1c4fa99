#!/usr/bin/env python3
"""The front program from outside: exit codes, messages, and that it loads no torch.

usage: cli_front_test.py TINTA [unittest arguments]
"""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TINTA = ""

# A stand-in for tinta-core: says what it was called with.
ENGINE = """#!/bin/sh
printf '%s\\n' "$@"
exit 42
"""


def run(*words: str, program: str = "", **variables: str) -> subprocess.CompletedProcess:
    """Runs tinta in an environment without TINTA_ variables other than those given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TINTA_")}
    return subprocess.run([program or TINTA, *words], capture_output=True, text=True, timeout=60,
                          env={**clean, **variables}, check=False)


class Front(unittest.TestCase):
    def assert_refused(self, done: subprocess.CompletedProcess, *parts: str) -> None:
        """Exit code 2, nothing on stdout, one line on stderr that holds the parts."""
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("tinta: "), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)

    def test_version_is_one_line(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"\Atinta \d+\.\d+\.\d+\n\Z")

    def test_mistyped_names_are_refused_with_the_nearest(self):
        self.assert_refused(run("trian"), '"train"')
        self.assert_refused(run("train", "glyfs"), '"glyphs"')
        self.assert_refused(run("train", "glyphs", "--stpes=3"), '"--steps"')
        self.assert_refused(run("train", "glyphs", "--set", "training.bach=3"), '"training.batch"')
        self.assert_refused(run("sample", "no-such-run"), "expected a run folder")
        self.assert_refused(run())

    def test_an_impossible_config_lists_every_broken_rule(self):
        done = run("train", "glyphs", "--set", "training.batch=0", "--set", "model.dropout=3")
        self.assertEqual(done.returncode, 2)
        self.assertIn("2 problems", done.stderr)
        self.assertIn("training.batch: expected", done.stderr)
        self.assertIn("model.dropout: expected", done.stderr)

    def test_a_size_for_pictures_that_have_one_is_one_clear_error(self):
        self.assert_refused(run("train", "cifar10", "--data", "x", "--image-size", "64"), '"cifar10"')

    def test_config_check_answers_in_json(self):
        good = run("config", "check", "mnist", "--json")
        self.assertEqual((good.returncode, json.loads(good.stdout)), (0, {"ok": True, "problems": []}))
        bad = run("config", "check", "mnist", "--set", "training.batch=0", "--json")
        self.assertEqual(bad.returncode, 2)
        self.assertEqual(len(json.loads(bad.stdout)["problems"]), 1)

    def test_config_check_reads_files(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "mine.toml"
            file.write_text(run("config", "check", "condor", "--print").stdout, encoding="utf-8")
            self.assertEqual(run("config", "check", str(file)).returncode, 0)
            file.write_text("[training]\nbacth = 3\n", encoding="utf-8")
            self.assert_refused(run("config", "check", str(file)), "mine.toml", "line 2", '"batch"')
            file.write_text("[training]\nbatch = = 3\n", encoding="utf-8")
            self.assert_refused(run("config", "check", str(file)), "line 2, column")

    def test_a_wrong_variable_is_named(self):
        self.assert_refused(run("train", "glyphs", TINTA_THREADS="two"), "TINTA_THREADS", '"two"')

    def test_a_full_disk_behind_stdout_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([TINTA, "data", "list"], stdout=full, stderr=subprocess.PIPE,
                                  text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("stdout", done.stderr)

    def test_work_goes_to_the_engine_beside_it_with_the_same_words(self):
        with tempfile.TemporaryDirectory() as folder:
            front = shutil.copy(TINTA, folder)
            missing = run("train", "glyphs", program=front)
            self.assertEqual(missing.returncode, 1)
            self.assertIn("tinta-core", missing.stderr)
            engine = Path(folder) / "tinta-core"
            engine.write_text(ENGINE, encoding="utf-8")
            engine.chmod(engine.stat().st_mode | stat.S_IXUSR)
            words = ("train", "glyphs", "--set", "training.batch=8", "--out", "a b")
            done = run(*words, program=front)
            self.assertEqual(done.returncode, 42)
            self.assertEqual(done.stdout.splitlines(), list(words))

    def test_runs_are_read_without_the_engine(self):
        with tempfile.TemporaryDirectory() as folder:
            front = shutil.copy(TINTA, folder)
            at = Path(folder) / "runs" / "mine"
            at.mkdir(parents=True)
            (at / "config.toml").write_text(run("config", "check", "glyphs", "--print").stdout,
                                            encoding="utf-8")
            (at / "metrics.jsonl").write_text('{"step":7,"loss":0.5}\n', encoding="utf-8")
            listed = run("runs", folder, "--json", program=front)
            self.assertEqual(listed.returncode, 0, listed.stderr)
            self.assertEqual([(r["run"], r["state"], r["step"], r["loss"])
                              for r in json.loads(listed.stdout)], [(str(at), "stopped", 7, 0.5)])
            shown = run("log", str(at), "--json", program=front)
            self.assertEqual((shown.returncode, shown.stdout), (0, '{"step":7,"loss":0.5}\n'))

    def test_the_front_loads_no_torch(self):
        loaded = subprocess.run(["ldd", TINTA], capture_output=True, text=True, check=True).stdout
        self.assertIn("libc.so", loaded)
        for library in ("torch", "libc10", "libgomp", "libcrypto", "libpng"):
            self.assertNotIn(library, loaded)


if __name__ == "__main__":
    TINTA = sys.argv.pop(1)
    unittest.main()
