#!/usr/bin/env python3
"""tinta sample from outside: what is drawn, what it depends on, and what is written where.

usage: sample_test.py TINTA [unittest arguments]
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

# Long enough, with a large rate, for the classes to draw apart.
STEPS = 60
shared = Path()  # the runs that these tests only read
# Sums of a convolution may come in another order with another batch: then a value in single
# precision differs in its last bits, and where it lay between two bytes, so does the byte.
LEVELS_APART = 1


def setUpModule():
    """Two runs: "glyphs" with classes, and "condor", in colour and without."""
    global shared
    shared = Path(tempfile.mkdtemp(prefix="tinta-test-"))
    unittest.addModuleCleanup(shutil.rmtree, shared)
    for preset, steps, tiny in (("glyphs", STEPS, harness.TINY_GLYPHS),
                                ("condor", 2, (*harness.TINY, "data.size=16"))):
        every = ("training.checkpoint_every=30", "training.learning_rate=5e-3")
        done = harness.run("train", preset, "--out", shared / preset, "--steps", steps,
                           "--precision", "fp32", *settings(*tiny, *every))
        if done.returncode != 0:
            raise RuntimeError(done.stderr)


class SampleTest(ProgramTest):
    """Works on a copy of the run, since pictures go into its folder by default."""

    preset = "glyphs"

    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "run"
        shutil.copytree(shared / self.preset, self.run_folder)
        self.drawn = 0

    def draw(self, *words: object, run: Path | None = None) -> dict[str, numpy.ndarray]:
        """The arrays that a command writes; five steps of DDIM unless the words say otherwise."""
        self.drawn += 1
        name = self.folder / f"drawn-{self.drawn}"
        words = ("--steps", 5, *words) if "--steps" not in words else words
        self.succeed("sample", run or self.run_folder, "-o", f"{name}.png", "--npz", f"{name}.npz",
                     *words)
        return readers.arrays(Path(f"{name}.npz"))

    def images(self, *words: object, **options) -> numpy.ndarray:
        return self.draw(*words, **options)["images"]

    def assert_differ(self, left: numpy.ndarray, right: numpy.ndarray) -> None:
        self.assertEqual(left.shape, right.shape)
        self.assertFalse(numpy.array_equal(left, right))


class Outputs(SampleTest):
    def test_the_grid_has_a_default_name_shows_the_pictures_and_says_what_made_them(self):
        npz = self.folder / "out.npz"
        done = self.succeed("sample", self.run_folder, "-n", 20, "--steps", 5, "--seed", 3,
                            "--npz", npz, "--json")
        summary = json.loads(done.stdout)
        output = self.run_folder / "samples" / f"step-{STEPS:08}-ddim5-guidance2.0-n20-seed3.png"
        self.assertEqual([summary[key] for key in ("count", "output", "npz")],
                         [20, str(output), str(npz)])
        pixels, text = readers.png(output)
        numpy.testing.assert_array_equal(
            pixels, readers.grid(readers.arrays(npz)["images"], columns=10))
        newest = self.run_folder / "checkpoints" / f"step-{STEPS:08}"
        manifest = json.loads((newest / "manifest.json").read_text(encoding="utf-8"))
        digest = manifest["files"]["ema.safetensors"]["sha256"]
        self.assertEqual(text, {"Software": "tinta", "seed": "3", "sampler": "ddim", "steps": "5",
                                "guidance": "2.0", "checkpoint": newest.name, "weights": "ema",
                                "weights-sha256": digest[:16]})

    def test_arrays_are_bytes_of_grey_pictures_and_whole_labels(self):
        arrays = self.draw("--per-class", 2)
        self.assertEqual(arrays.keys(), {"images", "labels"})
        self.assertEqual((arrays["images"].dtype, arrays["images"].shape),
                         (numpy.uint8, (20, 28, 28)))
        self.assertEqual(arrays["labels"].dtype, numpy.int64)
        self.assertEqual(arrays["labels"].tolist(), [*range(10), *range(10)])

    def test_labels_are_those_asked_for_in_turn(self):
        self.assertEqual(self.draw("--class", "7", "-n", 3)["labels"].tolist(), [7, 7, 7])
        self.assertEqual(self.draw("--class", "3,7", "-n", 5)["labels"].tolist(), [3, 7, 3, 7, 3])
        self.assertEqual(self.draw("--class", "3,7", "--per-class", 2)["labels"].tolist(),
                         [3, 7, 3, 7])

    def test_what_exists_is_kept_unless_force_replaces_it(self):
        words = ("sample", self.run_folder, "-n", 2, "--steps", 2)
        self.succeed(*words)
        (default,) = (self.run_folder / "samples").iterdir()
        before = default.read_bytes()
        self.fail_with(2, default.name, "--force", words=words)
        for flag, name in (("-o", "there.png"), ("--npz", "there.npz")):
            there = self.folder / name
            there.write_text("mine", encoding="utf-8")
            self.fail_with(2, name, "--force", words=(*words, "--seed", 1, flag, there))
            self.assertEqual(there.read_text(encoding="utf-8"), "mine")
            self.succeed(*words, "--seed", 1, flag, there, "--force")
            self.assertNotEqual(there.read_bytes(), b"mine")
        self.assertEqual(default.read_bytes(), before)
        self.assert_nothing_half_written(self.folder)

    def test_a_class_that_is_not_there_is_refused(self):
        self.fail_with(2, "--class", "from 0 to 9", "got 10",
                       words=("sample", self.run_folder, "--class", "3,10"))

    def test_more_steps_than_the_process_has_are_refused(self):
        self.fail_with(2, "--steps", "process.steps = 100",
                       words=("sample", self.run_folder, "--steps", 101))


class Dependence(SampleTest):
    def test_pictures_depend_on_the_seed_alone(self):
        def both(name: str, seed: int) -> tuple[bytes, bytes]:
            output, npz = self.folder / f"{name}.png", self.folder / f"{name}.npz"
            self.succeed("sample", self.run_folder, "-n", 4, "--steps", 5, "--seed", seed,
                         "-o", output, "--npz", npz)
            return output.read_bytes(), npz.read_bytes()

        first, second, other = both("first", 1), both("second", 1), both("other", 2)
        self.assertEqual(first, second)
        self.assertNotEqual(first[0], other[0])
        self.assertNotEqual(first[1], other[1])

    def test_neither_the_batch_nor_the_number_changes_a_picture(self):
        for sampler in ("ddpm", "ddim"):
            words = ("--sampler", sampler, "--class", 1, "--steps", 10)
            by_three = self.images("-n", 8, "--batch", 3, *words).astype(int)
            by_five = self.images("-n", 8, "--batch", 5, *words).astype(int)
            fewer = self.images("-n", 4, *words).astype(int)
            self.assertLessEqual(abs(by_three - by_five).max(), LEVELS_APART)
            self.assertLessEqual(abs(by_three[:4] - fewer).max(), LEVELS_APART)
            # Pictures differ by far more from each other.
            self.assertGreater(abs(by_three[:4] - by_three[4:]).max(), 100 * LEVELS_APART)

    def test_guidance_zero_forgets_the_class_and_the_presets_is_two(self):
        words = ("-n", 4, "--steps", 20)
        of = {scale: self.images("--class", 1, "--guidance", scale, *words) for scale in (0, 1, 2)}
        other = {scale: self.images("--class", 8, "--guidance", scale, *words) for scale in (0, 1)}
        numpy.testing.assert_array_equal(of[0], other[0])
        self.assert_differ(of[1], other[1])
        self.assert_differ(of[0], of[1])
        self.assert_differ(of[1], of[2])
        numpy.testing.assert_array_equal(self.images("--class", 1, *words), of[2])

    def test_samplers_and_their_options_draw_different_pictures(self):
        drawn = [self.images("-n", 2, "--class", 1, "--steps", 20, *words) for words in (
            ("--sampler", "ddim"), ("--sampler", "ddim", "--eta", 0.5),
            ("--sampler", "ddpm"), ("--sampler", "ddpm", "--variance", "beta"))]
        for i, left in enumerate(drawn):
            for right in drawn[:i]:
                self.assert_differ(left, right)
        numpy.testing.assert_array_equal(
            self.images("-n", 2, "--class", 1, "--steps", 20), drawn[0])

    def test_raw_weights_are_those_of_the_last_step(self):
        # A run whose two sets of weights have changed places.
        swapped = self.folder / "swapped"
        shutil.copytree(self.run_folder, swapped)
        newest = swapped / "checkpoints" / f"step-{STEPS:08}"
        names = ("model.safetensors", "ema.safetensors")
        content = [(newest / name).read_bytes() for name in names]
        manifest = json.loads((newest / "manifest.json").read_text(encoding="utf-8"))
        entries = [manifest["files"][name] for name in names]
        for name, other, entry in zip(names, reversed(content), reversed(entries)):
            (newest / name).write_bytes(other)
            manifest["files"][name] = entry
        (newest / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

        raw, ema = (self.images("-n", 2, "--weights", name) for name in ("raw", "ema"))
        self.assert_differ(raw, ema)
        numpy.testing.assert_array_equal(raw, self.images("-n", 2, run=swapped))
        numpy.testing.assert_array_equal(ema, self.images("-n", 2, "--weights", "raw", run=swapped))

    def test_a_checkpoint_is_chosen_by_its_step(self):
        newest = self.images("-n", 2)
        numpy.testing.assert_array_equal(self.images("-n", 2, "--checkpoint", STEPS), newest)
        before = self.images("-n", 2, "--checkpoint", 30)
        self.assert_differ(before, newest)
        shutil.rmtree(self.run_folder / "checkpoints" / f"step-{STEPS:08}")
        numpy.testing.assert_array_equal(self.images("-n", 2), before)
        self.fail_with(2, "step 31", "30", words=("sample", self.run_folder, "--checkpoint", 31))

    def test_a_damaged_checkpoint_is_passed_over_with_a_word_and_refused_by_name(self):
        before = self.images("-n", 2, "--checkpoint", 30)
        damaged = self.run_folder / "checkpoints" / f"step-{STEPS:08}" / "ema.safetensors"
        damaged.write_bytes(damaged.read_bytes()[:-1])
        done = self.succeed("sample", self.run_folder, "-n", 2, "--steps", 5,
                            "--npz", self.folder / "after.npz")
        self.assertRegex(done.stderr, rf"warning: checkpoint step-{STEPS:08} .*ema\.safetensors")
        numpy.testing.assert_array_equal(readers.arrays(self.folder / "after.npz")["images"], before)
        self.fail_with(1, "ema.safetensors",
                       words=("sample", self.run_folder, "--checkpoint", STEPS))


class Unconditional(SampleTest):
    preset = "condor"

    def test_pictures_in_colour_have_no_labels(self):
        npz = self.folder / "out.npz"
        self.succeed("sample", self.run_folder, "-n", 4, "--steps", 2, "--npz", npz,
                     "-o", self.folder / "out.png")
        arrays = readers.arrays(npz)
        self.assertEqual(arrays.keys(), {"images"})
        self.assertEqual((arrays["images"].dtype, arrays["images"].shape),
                         (numpy.uint8, (4, 16, 16, 3)))
        pixels, _ = readers.png(self.folder / "out.png")
        numpy.testing.assert_array_equal(pixels, readers.grid(arrays["images"], columns=2))

    def test_classes_and_guidance_are_refused(self):
        for words in (("--class", 1), ("--per-class", 1), ("--guidance", 2)):
            self.fail_with(2, "unconditional", words=("sample", self.run_folder, *words))


if __name__ == "__main__":
    harness.main()
