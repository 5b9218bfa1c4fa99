#!/usr/bin/env python3
"""tinta inpaint from outside: what is kept, what is filled in, and which inputs are refused.

usage: inpaint_test.py TINTA [unittest arguments]
"""

import json
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy

import harness
import readers
from harness import ProgramTest, settings

shared = Path()  # the runs that these tests only read
QUICK = ("--steps", 5, "--resamplings", 2, "--jump", 1)


def setUpModule():
    """Two runs: "glyphs" with classes, 28x28 in grey, and "condor", 16x16 in colour."""
    global shared
    shared = Path(tempfile.mkdtemp(prefix="tinta-test-"))
    unittest.addModuleCleanup(shutil.rmtree, shared)
    for preset, steps, tiny in (("glyphs", 30, harness.TINY_GLYPHS),
                                ("condor", 2, (*harness.TINY, "data.size=16"))):
        done = harness.run("train", preset, "--out", shared / preset, "--steps", steps,
                           "--precision", "fp32",
                           *settings(*tiny, "training.learning_rate=5e-3"))
        if done.returncode != 0:
            raise RuntimeError(done.stderr)


def ramp(height: int, width: int) -> numpy.ndarray:
    return numpy.add.outer(numpy.arange(height) * 5, numpy.arange(width) * 3) % 256


class InpaintTest(ProgramTest):
    preset = "glyphs"
    side = 28

    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "run"
        shutil.copytree(shared / self.preset, self.run_folder)
        self.picture = ramp(self.side, self.side)
        self.hole = numpy.zeros((self.side, self.side), bool)
        self.hole[5:12, 4:15] = True
        self.image = harness.write_png(self.folder / "picture.png", self.picture)
        self.mask = harness.write_png(self.folder / "mask.png", self.hole * 255)
        self.drawn = 0

    def words(self, *more: object) -> tuple:
        return ("inpaint", self.run_folder, "--image", self.image, "--mask", self.mask, *more)

    def fill(self, *more: object) -> dict[str, numpy.ndarray]:
        """The arrays that a command writes."""
        self.drawn += 1
        name = self.folder / f"filled-{self.drawn}"
        self.succeed(*self.words("-o", f"{name}.png", "--npz", f"{name}.npz", *more))
        return readers.arrays(Path(f"{name}.npz"))


class Filling(InpaintTest):
    def test_known_pixels_are_kept_and_the_others_found_by_either_method(self):
        for words in (QUICK, ("--method", "replace", "--steps", 5)):
            arrays = self.fill("-n", 3, *words)
            self.assertEqual(arrays.keys(), {"images", "known", "fill"})
            self.assertEqual((arrays["images"].dtype, arrays["images"].shape),
                             (numpy.uint8, (3, 28, 28)))
            numpy.testing.assert_array_equal(arrays["fill"], self.hole)
            numpy.testing.assert_array_equal(arrays["known"], self.picture)
            for filled in arrays["images"]:
                numpy.testing.assert_array_equal(filled[~self.hole], self.picture[~self.hole])
            self.assertFalse(numpy.array_equal(arrays["images"][0], arrays["images"][1]))

    def test_what_lies_under_the_mask_does_not_matter(self):
        first = self.fill("-n", 2, *QUICK)["images"]
        harness.write_png(self.image, numpy.where(self.hole, 255 - self.picture, self.picture))
        numpy.testing.assert_array_equal(self.fill("-n", 2, *QUICK)["images"], first)

    def test_one_filling_is_a_picture_and_several_are_a_grid_that_begins_with_the_known_part(self):
        one = self.folder / "one.png"
        self.succeed(*self.words("-n", 1, "-o", one, *QUICK))
        pixels, _ = readers.png(one)
        self.assertEqual(pixels.shape[:2], (28, 28))
        several = self.folder / "several.png"
        npz = self.folder / "several.npz"
        self.succeed(*self.words("-n", 3, "-o", several, "--npz", npz, *QUICK))
        pixels, text = readers.png(several)
        given = numpy.where(self.hole, 128, self.picture)[None].astype(numpy.uint8)
        cells = numpy.concatenate([given, readers.arrays(npz)["images"]])
        numpy.testing.assert_array_equal(pixels, readers.grid(cells, columns=2))
        self.assertEqual([text[key] for key in ("Software", "method", "resamplings", "jump",
                                                "sampler", "steps", "class")],
                         ["tinta", "repaint", "2", "1", "ddpm", "5", "none"])

    def test_the_default_name_tells_commands_apart_and_json_names_the_output(self):
        done = self.succeed(*self.words("-n", 2, "--json", *QUICK))
        summary = json.loads(done.stdout)
        output = self.run_folder / "samples" / "step-00000030-repaint2x1-ddpm5-picture-n2-seed0.png"
        self.assertEqual([summary[key] for key in ("count", "output", "npz", "pixels_filled")],
                         [2, str(output), None, 77])
        self.succeed(*self.words("-n", 2, "--class", 3, *QUICK))
        self.assertEqual(len(list((self.run_folder / "samples").iterdir())), 2)
        self.fail_with(2, output.name, "--force", words=self.words("-n", 2, *QUICK))
        self.succeed(*self.words("-n", 2, "--force", *QUICK))
        self.assert_nothing_half_written(self.folder)


class Dependence(InpaintTest):
    def test_the_same_seed_writes_the_same_bytes(self):
        def both(name: str, seed: int) -> tuple[bytes, bytes]:
            output, npz = self.folder / f"{name}.png", self.folder / f"{name}.npz"
            self.succeed(*self.words("-n", 2, "--seed", seed, "-o", output, "--npz", npz, *QUICK))
            return output.read_bytes(), npz.read_bytes()

        first, second, other = both("first", 1), both("second", 1), both("other", 2)
        self.assertEqual(first, second)
        self.assertNotEqual(first[1], other[1])

    def test_neither_the_batch_nor_the_number_changes_a_filling(self):
        every = self.fill("-n", 5, "--batch", 2, *QUICK)["images"].astype(int)
        fewer = self.fill("-n", 3, "--batch", 3, *QUICK)["images"].astype(int)
        self.assertLessEqual(abs(every[:3] - fewer).max(), 1)

    def test_method_class_guidance_and_sampler_matter(self):
        drawn = [self.fill("-n", 1, *words)["images"] for words in (
            QUICK, ("--method", "replace", "--steps", 5), (*QUICK, "--class", 1),
            (*QUICK, "--class", 8), (*QUICK, "--class", 8, "--guidance", 1),
            (*QUICK, "--sampler", "ddim"))]
        for i, left in enumerate(drawn):
            for right in drawn[:i]:
                self.assertFalse(numpy.array_equal(left, right))

    def test_one_resampling_is_replacement(self):
        numpy.testing.assert_array_equal(
            self.fill("-n", 1, "--steps", 5, "--resamplings", 1)["images"],
            self.fill("-n", 1, "--steps", 5, "--method", "replace")["images"])


class Inputs(InpaintTest):
    def test_a_picture_of_another_size_is_scaled_with_a_word(self):
        harness.write_png(self.image, numpy.stack([ramp(56, 84)] * 3, axis=-1))
        mask = numpy.zeros((56, 84))
        mask[10, 30] = 255
        harness.write_png(self.mask, mask)
        name = self.folder / "scaled"
        done = self.succeed(*self.words("-n", 1, "-o", f"{name}.png", "--npz", f"{name}.npz", *QUICK))
        self.assertIn("scaled from 84 x 56", done.stderr)
        arrays = readers.arrays(Path(f"{name}.npz"))
        self.assertEqual(arrays["images"].shape, (1, 28, 28))
        self.assertEqual(numpy.argwhere(arrays["fill"]).tolist(), [[5, 10]])

    def refuse(self, *parts: str, words: tuple = (), code: int = 2) -> None:
        self.fail_with(code, *parts, words=self.words(*words))

    def test_a_mask_of_another_size_or_without_white_is_refused(self):
        harness.write_png(self.mask, numpy.full((28, 27), 255))
        self.refuse("--mask: expected 28 x 28", "got 27 x 28")
        harness.write_png(self.mask, numpy.zeros((28, 28)))
        self.refuse("--mask: expected white")

    def test_files_that_are_not_there_or_no_pictures_are_refused(self):
        self.image.write_bytes(b"no picture")
        self.refuse("picture.png", code=1)
        self.image.unlink()
        self.refuse("--image: expected a file", "not there")
        self.fail_with(2, "expected --image FILE and --mask FILE, got neither",
                       words=("inpaint", self.run_folder))

    def test_options_that_contradict_each_other_or_the_run_are_refused(self):
        self.refuse("--method replace", words=("--method", "replace", "--jump", 2))
        self.refuse("--class with --guidance", words=("--guidance", 2))
        self.refuse("--class: expected labels from 0 to 9", words=("--class", 10))
        self.refuse("process.steps = 100", words=("--steps", 101))
        self.refuse("--jump", "5 steps", words=("--steps", 5, "--jump", 6))
        self.refuse("did you mean \"repaint\"?", words=("--method", "repiant"))
        self.assertFalse((self.run_folder / "samples").exists())


class Colour(InpaintTest):
    preset = "condor"
    side = 16

    def test_a_grey_picture_becomes_colour(self):
        arrays = self.fill("-n", 2, *QUICK)
        self.assertEqual(arrays["images"].shape, (2, 16, 16, 3))
        for channel in range(3):
            numpy.testing.assert_array_equal(arrays["images"][0, ..., channel][~self.hole],
                                             self.picture[~self.hole])

    def test_a_class_is_refused(self):
        self.fail_with(2, "unconditional", words=self.words("--class", 1))


if __name__ == "__main__":
    harness.main()
