#!/usr/bin/env python3
"""Proves on small trees that check_style.py sees each broken rule, and no others."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import check_style  # noqa: E402


class CheckStyle(unittest.TestCase):
    def problems(self, name: str, text: str) -> list[str]:
        """What the check says of a tree that holds one file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            return check_style.check_tree(Path(folder))

    def test_a_clean_file_passes(self):
        self.assertEqual(self.problems("src/a.cpp", "int a;\n"), [])

    def test_the_longest_file_passes_and_one_more_line_does_not(self):
        self.assertEqual(self.problems("a.cpp", "int a;\n" * 400), [])
        self.assertEqual(self.problems("a.cpp", "int a;\n" * 401),
                         ["a.cpp:401: expected at most 400 lines, got 401"])

    def test_prose_may_be_long(self):
        self.assertEqual(self.problems("a.md", "words\n" * 1000), [])

    def test_notes_to_ourselves_are_refused(self):
        for note in ("TO" "DO", "FIX" "ME", "XX" "X"):
            with self.subTest(note=note):
                self.assertEqual(self.problems("a.h", f"// {note}: later\n"),
                                 ["a.h:1: a note to ourselves"])

    def test_paths_of_one_machine_are_refused(self):
        for path in ("/ho" "me/ada/x", "/Us" "ers/ada", "/ro" "ot/x", "/wo" "rk/x"):
            with self.subTest(path=path):
                self.assertEqual(self.problems("a.md", f"See {path}.\n"),
                                 ["a.md:1: a path of one machine"])

    def test_paths_inside_the_project_pass(self):
        self.assertEqual(self.problems("a.md", "See src/wo" "rk/x and the-/ro" "ot/x of it.\n"), [])

    def test_package_servers_are_refused(self):
        self.assertEqual(self.problems("a.sh", "pip install -i https://pypi.or" "g/simple x\n"),
                         ["a.sh:1: a package server's name"])

    def test_untidy_ends_and_tabs_are_refused(self):
        self.assertEqual(self.problems("a.cpp", "int a; \n\tint b;\nint c;"),
                         ["a.cpp:1: space at the end of the line", "a.cpp:2: a tab",
                          "a.cpp:3: no newline at the end of the file"])

    def test_a_makefile_may_hold_tabs(self):
        self.assertEqual(self.problems("Makefile", "all:\n\ttrue\n"), [])


if __name__ == "__main__":
    unittest.main()
