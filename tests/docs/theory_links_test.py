#!/usr/bin/env python3
"""docs/theory keeps its promises, and theory_links.py sees each one that is broken."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import theory_links  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


class TheoryLinks(unittest.TestCase):
    def setUp(self):
        self.theory = theory_links.Theory(ROOT)

    def change(self, page: str, old: str, new: str) -> None:
        self.assertIn(old, self.theory.pages[page])
        self.theory.pages[page] = self.theory.pages[page].replace(old, new)

    def assert_seen(self, *parts: str) -> None:
        problems = self.theory.problems()
        for part in parts:
            self.assertTrue(any(part in problem for problem in problems), (part, problems))

    def test_the_pages_are_in_order(self):
        self.assertEqual(self.theory.problems(), [])
        self.assertGreater(len(self.theory.rows), 15)

    def test_a_page_that_is_missing_is_seen(self):
        del self.theory.pages["lab-sheet.es.md"]
        self.assert_seen("lab-sheet.es.md: not there")

    def test_a_link_to_no_file_is_seen(self):
        self.change("errata.md", "lab/posterior.cpp", "lab/posteriors.cpp")
        self.assert_seen("errata.md: no file ../../src/tinta/lab/posteriors.cpp")

    def test_a_link_to_no_place_is_seen(self):
        self.change("errata.md", "guide.md#eq-2-21", "guide.md#eq-2-24")
        self.assert_seen("no place guide.md#eq-2-24")

    def test_a_function_that_is_not_in_its_file_is_seen(self):
        self.change("guide.md", "[`forward_step`]", "[`forward_stop`]")
        self.change("guide.es.md", "[`VpSchedule::level`]", "[`VpSchedule::lovel`]")
        self.assert_seen("guide.md: ../../src/tinta/process/forward.h does not hold forward_stop",
                         "does not hold VpSchedule::lovel")

    def test_a_row_that_does_not_exist_is_seen(self):
        self.change("README.md", "tinta lab posterior  ", "tinta lab posteriors  ")
        self.assert_seen("README.md: no row posteriors")

    def test_a_row_that_leads_to_another_file_is_seen(self):
        self.change("guide.md", "lab/ink_drop.cpp", "lab/heated_gas.cpp")
        self.assert_seen("heated_gas.cpp does not hold tinta lab ink-drop")

    def test_a_row_that_no_page_names_is_seen(self):
        self.theory.rows["tea-leaves"] = "thesis fig. 1.2"
        self.assert_seen("guide.md: row tea-leaves is not linked",
                         "guide.es.md: row tea-leaves is not linked")

    def test_an_equation_that_is_missing_is_seen(self):
        self.change("guide.md", r"\tag{2.13}", "")
        self.change("guide.es.md", '<a id="eq-2-13"></a>', "")
        self.change("lab-sheet.es.md", r"\tag{lab 4}", r"\tag{lab 44}")
        self.assert_seen("guide.md: no equation (2.13)", "guide.es.md: no anchor eq-2-13",
                         "lab-sheet.es.md: no equation (lab 4)")

    def test_formulas_that_differ_between_languages_are_seen(self):
        self.change("guide.es.md", r"\sqrt{\bar{\alpha}_{t-1}}\, \beta_t}{1",
                    r"\sqrt{\bar{\alpha}_t}\, \beta_t}{1")
        self.assert_seen("guide.es.md: its formulas are not those of guide.md")

    def test_links_that_differ_between_languages_are_seen(self):
        self.change("lab-sheet.md", "[`ssim`](../../src/tinta/evaluation/quality.h)", "SSIM")
        self.assert_seen("lab-sheet.es.md: its links are not those of lab-sheet.md")

    def test_a_citation_that_leads_nowhere_is_seen(self):
        self.theory.headers["src/tinta/process/a.h"] = (
            "/// The noise (thesis eqs. 2.22-2.24, lab\n  /// eq. 8; thesis algorithm 2.3.3).\n")
        self.assert_seen("a.h: cites 2.24, which the sources do not have",
                         "the line of 2.23 does not lead to src/tinta/process/a.h",
                         "the line of lab 8 does not lead to src/tinta/process/a.h",
                         "the line of algorithm 2.3.3 does not lead to src/tinta/process/a.h")

    def test_a_line_missing_from_the_table_is_seen(self):
        self.change("README.md", "| [2.11](guide.md#eq-2-11)", "| [2.11](guide.md#eq-2-10)")
        self.change("README.md", "| [2.19](guide.md#eq-2-19)", "| 2.19")
        self.assert_seen("the line of 2.11 does not lead to eq-2-11", "no line for 2.19")

    def test_a_row_missing_from_the_table_is_seen(self):
        self.theory.rows["ink-drop"] = "thesis ch. 1; lab ex. 2, eqs. 1-3"
        self.assert_seen("the line of lab 2 does not lead to ink-drop")

    def test_formulas_that_hosts_do_not_render_are_seen(self):
        for text, problem in {
                "where $x_t$ is": "a $ without its partner",
                "where $`x_t` is": "a $ without its partner",
                "| $`a | b`$ |": "a | in a formula of a table",
                "$`x \\tag{1}`$": "a tag within a line",
                "$`\\operatorname{Cov}`$": "\\operatorname is not for every host",
                "```math\n\\label{a} x\n```": "\\label is not for every host",
                "```math\n\\begin{align} x \\end{align}\n```": "\\begin{align} is not for every host",
                "```math\n\\left( x )\n```": "not balanced",
                "```math\n\\frac{1}{2\n```": "not balanced",
                "```math\n\\begin{aligned} x\n```": "not balanced",
                "```math\nx\n": "a fence that does not close"}.items():
            with self.subTest(text):
                self.assertIn(problem, " ".join(theory_links.formulas(text)))
        self.assertEqual(theory_links.formulas(
            "costs `$5` and $`\\left( x_t \\right)`$\n\n```sh\necho $HOME\n```\n"), [])


if __name__ == "__main__":
    unittest.main()
