#!/usr/bin/env python3
"""tinta lab, one row at a time: outputs, options, refusals, the report.

usage: lab_test.py TINTA [unittest arguments]
"""

import json
import xml.etree.ElementTree
from pathlib import Path

import numpy

import harness
import readers
from harness import ProgramTest


class List(ProgramTest):
    def test_every_row_is_described(self):
        rows = json.loads(self.succeed("lab", "list", "--json").stdout)
        self.assertEqual(len(rows), 19)
        text = self.succeed("lab", "list").stdout
        for row in rows:
            self.assertIn(row["name"], text)
            self.assertIn(row["source"], text)
            self.assertTrue(row["summary"])


class OneRow(ProgramTest):
    def lab(self, row: str, *words: object) -> dict:
        """The row's result as --json says it."""
        done = self.succeed("lab", row, "--quick", "--out", self.folder, "--json", *words)
        (result,) = json.loads(done.stdout)
        return result

    def test_outputs_are_whole_and_say_the_same(self):
        result = self.lab("mean-forms")
        self.assertEqual((result["name"], result["status"]), ("mean-forms", "pass"))
        self.assertEqual(json.loads((self.folder / "mean-forms.json").read_text()), result)
        self.assertEqual({path.name for path in self.folder.iterdir()}, set(result["files"]))
        readers.png_chunks((self.folder / "mean-forms.png").read_bytes())
        svg = xml.etree.ElementTree.parse(self.folder / "mean-forms.svg").getroot()
        self.assertTrue(svg.tag.endswith("svg"))
        self.assertGreater(len(result["reading"]), 100)

    def test_each_check_says_what_decides_it(self):
        result = self.lab("posterior")
        arrays = numpy.load(self.folder / "posterior.npz")
        self.assertGreaterEqual(len(result["checks"]), 2)
        for check in result["checks"]:
            with self.subTest(check["what"]):
                self.assertTrue(check["arrays"])
                self.assertLessEqual(set(check["arrays"]), set(arrays.files))
                self.assertTrue(check["basis"])
                gap = check["value"] - check["expected"]
                holds = {"within": abs(gap) <= check["tolerance"],
                         "at_most": gap <= check["tolerance"],
                         "at_least": gap >= -check["tolerance"]}[check["comparison"]]
                self.assertEqual(holds, check["pass"])

    def test_the_same_command_gives_the_same_bytes(self):
        names = self.lab("closed-form")["files"]
        before = {name: (self.folder / name).read_bytes() for name in names}
        self.lab("closed-form", "--force")
        for name, content in before.items():
            self.assertEqual((self.folder / name).read_bytes(), content, name)

    def test_another_seed_gives_other_draws(self):
        self.lab("closed-form")
        first = (self.folder / "closed-form.npz").read_bytes()
        self.lab("closed-form", "--force", "--seed", 1)
        self.assertNotEqual((self.folder / "closed-form.npz").read_bytes(), first)

    def test_outputs_are_never_replaced_unasked(self):
        self.lab("mean-forms")
        kept = readers.content(self.folder)
        self.fail_with(2, "mean-forms.json", "--force",
                       words=("lab", "mean-forms", "--quick", "--out", self.folder))
        self.assertEqual(readers.content(self.folder), kept)

    def test_a_picture_of_ones_own_is_taken(self):
        # A PPM is none of the formats; a PNG that tinta made is one.
        self.lab("mean-forms")
        words = ("--image", self.folder / "mean-forms.png")
        self.assertEqual(self.lab("forward-condor", *words)["status"], "pass")

    def test_a_check_that_fails_ends_with_1(self):
        # One step of descent cannot have brought the mean onto the true one.
        done = harness.run("lab", "optimise", "--quick", "--steps", 1, "--out", self.folder, "--json")
        self.assertEqual(done.returncode, 1, done.stderr)
        (result,) = json.loads(done.stdout)
        self.assertEqual(result["status"], "fail")
        self.assertTrue((self.folder / "optimise.png").exists())

    def test_a_trained_run_is_read_and_one_that_has_learned_nothing_fails(self):
        run = self.folder / "run"
        self.train(run, "--steps", 1)
        done = harness.run("lab", "reverse-langevin", "--quick", "--run", run, "--json",
                           "--out", self.folder / "out")
        self.assertEqual(done.returncode, 1, done.stderr)
        (result,) = json.loads(done.stdout)
        failing = [check["what"] for check in result["checks"] if not check["pass"]]
        self.assertEqual(len(failing), 1, failing)
        self.assertIn("trained net", failing[0])
        pictures = numpy.load(self.folder / "out" / "reverse-langevin.npz")["pictures"]
        self.assertEqual(pictures.dtype, numpy.uint8)
        self.assertTrue((self.folder / "out" / "reverse-langevin-pictures.png").exists())


class Report(ProgramTest):
    def test_a_report_holds_every_row_and_nothing_from_elsewhere(self):
        for row in ("mean-forms", "posterior"):
            self.succeed("lab", row, "--quick", "--out", self.folder)
        page = self.folder / "report.html"
        self.succeed("lab", "report", "--from", self.folder, "--out", page)
        text = page.read_text(encoding="utf-8")
        for row in ("mean-forms", "posterior"):
            self.assertIn(f'id="{row}"', text)
            result = json.loads((self.folder / f"{row}.json").read_text())
            for check in result["checks"]:
                self.assertIn(check["what"].split("<")[0][:20].replace("&", "&amp;"), text)
        self.assertIn("data:image/svg+xml;base64,", text)
        self.assertNotIn("src=\"http", text)
        self.succeed("lab", "report", "--from", self.folder)
        self.assertTrue((self.folder / "report.pdf").read_bytes().startswith(b"%PDF-"))

    def test_reports_that_cannot_be_are_refused(self):
        self.fail_with(2, "expected a folder", words=("lab", "report", "--from", self.folder / "none"))
        self.fail_with(2, "results of tinta lab", words=("lab", "report", "--from", self.folder))
        self.fail_with(2, ".pdf or .html",
                       words=("lab", "report", "--from", self.folder, "--out", self.folder / "x.doc"))
        (self.folder / "posterior.json").write_text("{", encoding="utf-8")
        self.fail_with(1, "posterior.json", words=("lab", "report", "--from", self.folder))


class Refusals(ProgramTest):
    def refused(self, *words: object, parts: tuple, code: int = 2) -> None:
        self.fail_with(code, *parts, words=("lab", *words, "--out", self.folder / "out"))
        self.assertFalse((self.folder / "out").exists())

    def test_unknown_names_suggest_the_nearest(self):
        self.refused("posteror", parts=("posteror", '"posterior"'))
        self.refused("score-field", "--density", "mons", parts=("mons", '"moons"'))
        self.refused("closed-form", "--set", "process.stpes=3", parts=("process.steps",))

    def test_options_that_a_row_does_not_take(self):
        self.refused("posterior", "--image", "x.png", parts=("--image", "posterior"))
        self.refused("ink-drop", "--density", "moons", parts=("--density", "ink-drop"))
        self.refused("closed-form", "--set", "model.channels=3", parts=("process", "model.channels"))

    def test_a_process_that_cannot_be(self):
        self.refused("closed-form", "--set", "process.beta_end=2", parts=("process.beta_end", "2"))

    def test_pictures_that_are_none(self):
        path = self.folder / "picture.gif"
        path.write_bytes(b"GIF89a" + bytes(40))
        self.refused("forward-strip", "--image", path, parts=("picture.gif", "PNG"), code=1)
        self.refused("forward-strip", "--image", self.folder / "none.png", parts=("none.png",), code=1)

    def test_a_run_that_is_none(self):
        self.refused("train-mnist", "--run", self.folder, parts=("run folder",))


if __name__ == "__main__":
    harness.main()
