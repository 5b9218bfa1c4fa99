#!/usr/bin/env python3
"""tinta denoise from outside: its numbers, computed again with numpy from the arrays that it writes.

usage: denoise_test.py TINTA [unittest arguments]
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

LEVELS = (5, 20, 60)
STEPS = 100  # of the process
KINDS = ("noisy", "restored", "chain", "classical")
HELD_OUT = 10  # glyphs of the test split: a tenth of 64, but at least ten
shared = Path()


def setUpModule():
    global shared
    shared = Path(tempfile.mkdtemp(prefix="tinta-test-"))
    unittest.addModuleCleanup(shutil.rmtree, shared)
    for preset, tiny in (("glyphs", harness.TINY_GLYPHS),
                         ("condor", (*harness.TINY, "data.size=16"))):
        done = harness.run("train", preset, "--out", shared / preset, "--steps", 20,
                           *settings(*tiny))
        if done.returncode != 0:
            raise RuntimeError(done.stderr)


def psnr(clean: numpy.ndarray, other: numpy.ndarray) -> float:
    """Mean over pictures, dB, peak 2."""
    error = ((clean.astype(float) - other.astype(float)) ** 2).mean(axis=(1, 2, 3))
    return float((10 * numpy.log10(4 / error)).mean())


def ssim(clean: numpy.ndarray, other: numpy.ndarray) -> float:
    """Wang et al. 2004: Gaussian window of 11 with sigma 1.5, dynamic range 2, mean over pictures."""
    offsets = numpy.arange(11) - 5
    window = numpy.exp(-offsets ** 2 / (2 * 1.5 ** 2))
    window = numpy.outer(window, window) / window.sum() ** 2

    def local(image: numpy.ndarray) -> numpy.ndarray:
        views = numpy.lib.stride_tricks.sliding_window_view(image, (11, 11), axis=(2, 3))
        return (views * window).sum(axis=(-2, -1))

    x, y = clean.astype(float), other.astype(float)
    mean_x, mean_y = local(x), local(y)
    spread_x, spread_y = local(x * x) - mean_x ** 2, local(y * y) - mean_y ** 2
    shared_spread = local(x * y) - mean_x * mean_y
    c1, c2 = 0.02 ** 2, 0.06 ** 2
    return float(((2 * mean_x * mean_y + c1) * (2 * shared_spread + c2)
                  / ((mean_x ** 2 + mean_y ** 2 + c1) * (spread_x + spread_y + c2))).mean())


class Denoise(ProgramTest):
    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "run"
        shutil.copytree(shared / "glyphs", self.run_folder)

    def denoise(self, name: str, *words: object, levels=LEVELS) -> tuple[dict, dict]:
        """The table and the arrays of one command."""
        npz = self.folder / f"{name}.npz"
        done = self.succeed("denoise", self.run_folder, "--t", ",".join(map(str, levels)), "--json",
                            "--npz", npz, "-o", self.folder / f"{name}.png", *words)
        return json.loads(done.stdout), readers.arrays(npz)

    def test_the_table_is_what_the_arrays_give(self):
        table, arrays = self.denoise("all", "--chain-images", 4)
        self.assertEqual([table[key] for key in ("t", "images", "chain_images", "seed")],
                         [list(LEVELS), HELD_OUT, 4, 0])
        x0 = arrays["x0"]
        self.assertEqual(x0.shape, (HELD_OUT, 1, 28, 28))
        beta = numpy.linspace(1e-4, 0.02, STEPS)
        alpha_bar = numpy.cumprod(1 - beta)[numpy.array(LEVELS) - 1]
        numpy.testing.assert_allclose(arrays["alpha_bar"], alpha_bar, rtol=1e-12)
        scale = numpy.sqrt(alpha_bar)[:, None, None, None, None]
        pictures = {**arrays, "noisy": numpy.clip(arrays["x_t"] / scale, -1, 1)}
        for kind in KINDS:
            count = 4 if kind == "chain" else HELD_OUT
            self.assertEqual(pictures[kind].shape, (len(LEVELS), count, 1, 28, 28), kind)
            self.assertLessEqual(abs(pictures[kind]).max(), 1, kind)
            # Pictures are kept in single precision: 1e-7 of a value, some 1e-6 dB.
            for name, measure, tolerance in (("psnr", psnr, 1e-4), ("ssim", ssim, 1e-5)):
                again = [measure(x0[:count], shown) for shown in pictures[kind]]
                numpy.testing.assert_allclose(table[f"{name}_{kind}"], again, rtol=0,
                                              atol=tolerance, err_msg=f"{name} {kind}")

    def test_the_noise_is_standard_normal_and_its_own_at_each_level(self):
        _, arrays = self.denoise("all", "--chain-images", 0)
        alpha_bar = arrays["alpha_bar"][:, None, None, None, None]
        noise = (arrays["x_t"] - numpy.sqrt(alpha_bar) * arrays["x0"]) / numpy.sqrt(1 - alpha_bar)
        count = noise[0].size
        # Five standard errors: with another seed a right program would fail once in 200,000.
        for level in noise:
            self.assertLess(abs(level.mean()), 5 / count ** 0.5)
            self.assertLess(abs(level.var() - 1), 5 * (2 / count) ** 0.5)
        correlation = numpy.corrcoef(noise.reshape(len(LEVELS), -1)) - numpy.eye(len(LEVELS))
        self.assertLess(abs(correlation).max(), 5 / count ** 0.5)

    def test_a_picture_depends_on_neither_how_many_there_are_nor_the_other_levels(self):
        _, whole = self.denoise("all", "--chain-images", 4)
        _, part = self.denoise("part", "--limit", 3, "--chain-images", 2, levels=LEVELS[1:2])
        numpy.testing.assert_array_equal(part["x_t"][0], whole["x_t"][1, :3])
        for kind, count in (("restored", 3), ("chain", 2)):
            # The network may compute in bfloat16, whose steps near 1 are 2^-8, and rounds anew at
            # each of the chain's steps: pictures agree as a whole, not number by number.
            apart = abs(part[kind][0] - whole[kind][1, :count])
            self.assertLess(apart.mean(), 0.01, kind)

    def test_the_same_command_gives_the_same_bytes_and_another_seed_others(self):
        words = ("--chain-images", 2)
        first, _ = self.denoise("first", *words)
        second, _ = self.denoise("second", *words)
        self.denoise("other", *words, "--seed", 1)
        self.assertEqual(first, second)
        for suffix in (".npz", ".png"):
            contents = [(self.folder / (name + suffix)).read_bytes()
                        for name in ("first", "second", "other")]
            self.assertEqual(contents[0], contents[1])
            self.assertNotEqual(contents[0], contents[2])

    def test_splits_hold_different_pictures(self):
        _, test = self.denoise("test", "--chain-images", 0)
        table, train = self.denoise("train", "--chain-images", 0, "--split", "train")
        self.assertEqual(table["images"], 64)
        self.assertEqual(table["psnr_chain"], [None] * len(LEVELS))
        for picture in test["x0"]:
            self.assertGreater(abs(train["x0"] - picture).max(axis=(1, 2, 3)).min(), 0.5)

    def test_the_table_for_people_has_the_same_numbers(self):
        table, _ = self.denoise("json", "--chain-images", 2, levels=(20,))
        done = self.succeed("denoise", self.run_folder, "--t", 20, "--chain-images", 2)
        rows = [line.split() for line in done.stdout.splitlines() if line.split()[:1] == ["20"]]
        self.assertEqual(rows, [["20", *(f"{table[f'psnr_{kind}'][0]:.2f}" for kind in KINDS)],
                                ["20", *(f"{table[f'ssim_{kind}'][0]:.3f}" for kind in KINDS)]])
        output = self.run_folder / "denoise-step-00000020-test-seed0.png"
        self.assertIn(str(output), done.stdout)
        # Rows x_0, noisy, restored, chain, classical; the first eight pictures of each.
        pixels, text = readers.png(output)
        self.assertEqual(pixels.shape, (5 * 30 + 2, 8 * 30 + 2))
        self.assertEqual(text["checkpoint"], "step-00000020")
        self.fail_with(2, output.name, "--force",
                       words=("denoise", self.run_folder, "--t", 20, "--chain-images", 2))

    def test_a_level_beyond_the_process_is_refused(self):
        self.fail_with(2, "--t", "process.steps = 100", "got 101",
                       words=("denoise", self.run_folder, "--t", "5,101"))

    def test_one_picture_has_no_baseline_and_no_standard_error(self):
        npz = self.folder / "out.npz"
        done = self.succeed("denoise", shared / "condor", "--t", 20, "--json", "--npz", npz,
                            "-o", self.folder / "out.png")
        table = json.loads(done.stdout)
        self.assertIn("warning: no classical baseline", done.stderr)
        self.assertEqual([table[key] for key in ("psnr_classical", "psnr_restored_se")],
                         [[None], [None]])
        arrays = readers.arrays(npz)
        self.assertNotIn("classical", arrays)
        self.assertAlmostEqual(table["psnr_restored"][0], psnr(arrays["x0"], arrays["restored"][0]),
                               delta=1e-4)


if __name__ == "__main__":
    harness.main()
