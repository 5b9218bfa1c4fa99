#!/usr/bin/env python3
"""The whole laboratory, quick: every row holds, and what it wrote is enough to see that.

usage: lab_all_test.py TINTA [unittest arguments]
"""

import json
import subprocess
import xml.etree.ElementTree

import numpy

import harness
import readers
from harness import ProgramTest

TIME_IS_THE_POINT = {"ink-drop", "forward-strip", "heated-gas", "reverse-langevin"}


class All(ProgramTest):
    def test_every_row_holds(self):
        done = subprocess.run(
            [harness.tinta, "lab", "all", "--quick", "--out", self.folder, "--json"],
            capture_output=True, text=True, check=False,
            env={**harness.environment(), "TINTA_THREADS": "2"})
        self.assertEqual(done.returncode, 0, done.stderr)
        results = json.loads(done.stdout)
        rows = json.loads(self.succeed("lab", "list", "--json").stdout)
        self.assertEqual([result["name"] for result in results], [row["name"] for row in rows])
        for result in results:
            with self.subTest(result["name"]):
                self.check_row(result)
        self.succeed("lab", "report", "--from", self.folder)

    def check_row(self, result: dict) -> None:
        failed = [check for check in result["checks"] if not check["pass"]]
        self.assertEqual((result["status"], failed), ("pass", []))
        name = result["name"]
        arrays = numpy.load(self.folder / f"{name}.npz").files
        for check in result["checks"]:
            self.assertTrue(check["arrays"], check["what"])
            self.assertLessEqual(set(check["arrays"]), set(arrays), check["what"])
            self.assertTrue(check["basis"], check["what"])
        self.assertGreater(len(result["reading"]), 100)
        for file in result["files"]:
            path = self.folder / file
            self.assertTrue(path.exists(), file)
            if file.endswith(".png"):
                readers.png_chunks(path.read_bytes())
            elif file.endswith(".svg"):
                xml.etree.ElementTree.parse(path)
        if name in TIME_IS_THE_POINT:
            self.assertEqual((self.folder / f"{name}.webp").read_bytes()[8:12], b"WEBP")


if __name__ == "__main__":
    harness.main()
