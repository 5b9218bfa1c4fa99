#!/usr/bin/env python3
"""tinta model info, tinta data info, and training on a folder of real data.

usage: info_test.py TINTA [unittest arguments]

MNIST is looked for in the folder "mnist" of TINTA_TEST_DATA; where it is absent, the tests that need
it are skipped, or fail where CI=true.
"""

import json
import os
from pathlib import Path

import harness
import readers
from harness import ProgramTest, settings

DATA = Path(os.environ.get("TINTA_TEST_DATA")
            or os.environ.get("TINTA_TEST_DATA_DEFAULT")
            or Path(__file__).resolve().parents[3] / "shared" / "data")


class ModelInfo(ProgramTest):
    def info(self, *words: object) -> dict:
        return json.loads(self.succeed("model", "info", *words, "--json").stdout)

    def test_the_network_of_ho_et_al_has_its_size(self):
        info = self.info("cifar10-ddpm")
        self.assertEqual((info["parameters"], info["tensors"]), (35746307, 328))
        self.assertEqual([info[key] for key in ("channels", "height", "width")], [3, 32, 32])

    def test_the_small_network_of_the_benchmarks_has_its_size(self):
        info = self.info("mnist-bench")
        self.assertEqual((info["parameters"], info["tensors"]), (1112801, 182))
        self.assertEqual([info[key] for key in ("channels", "height", "width")], [1, 28, 28])

    def test_work_is_that_of_the_products(self):
        # One convolution and nothing beside it grows as its area does: twice the side, four times
        # the work; attention, which grows faster, is off.
        plain = settings("model.attention_levels=", "model.mid_attention=false")
        small, large = (self.info("glyphs", *plain, *settings(f"data.size={side}"))
                        for side in (32, 64))
        self.assertAlmostEqual(large["gflop_per_image"] / small["gflop_per_image"], 4, delta=0.01)
        self.assertAlmostEqual(small["gflop_per_image"], 3 * small["gflop_per_image_forward"])

    def test_a_run_is_described_as_its_checkpoint_is(self):
        run = self.folder / "run"
        self.train(run, "--steps", 1)
        weights = readers.tensors(run / "checkpoints" / "step-00000001" / "model.safetensors")
        info = self.info(run)
        self.assertEqual(info["tensors"], len(weights))
        self.assertEqual(info["parameters"], sum(values.size for values in weights.values()))


class DataInfo(ProgramTest):
    def test_drawn_data_are_described(self):
        info = json.loads(self.succeed("data", "info", "glyphs", "--json").stdout)
        train, test = info["splits"]
        self.assertEqual([train[key] for key in ("name", "count", "channels", "height", "width")],
                         ["train", 20000, 1, 28, 28])
        self.assertEqual((test["name"], test["count"]), ("test", 2000))
        self.assertEqual(len(train["class_counts"]), 10)
        self.assertEqual(sum(train["class_counts"]), 20000)

    def test_a_folder_that_is_not_there_or_holds_nothing_is_refused(self):
        self.fail_with(2, "nowhere", words=("data", "info", self.folder / "nowhere"))
        self.fail_with(1, "train-images-idx3-ubyte", words=("data", "info", self.folder))


class Mnist(ProgramTest):
    def setUp(self):
        super().setUp()
        self.mnist = DATA / "mnist"
        if not (self.mnist / "train-images-idx3-ubyte.gz").exists():
            reason = f"no MNIST in {self.mnist}; TINTA_TEST_DATA names the folder above it"
            if os.environ.get("CI") == "true":
                self.fail(reason)
            self.skipTest(reason)

    def test_its_files_are_described_as_their_authors_do(self):
        for folder in (self.mnist, self.mnist.parent):  # itself, or the folder above
            info = json.loads(self.succeed("data", "info", folder, "--json").stdout)
            train, test = info["splits"]
            self.assertEqual((train["count"], test["count"]), (60000, 10000))
            self.assertEqual([train["height"], train["width"]], [28, 28])
            self.assertEqual(train["class_counts"], [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265,
                                                     5851, 5949])
            self.assertEqual(test["class_counts"], [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974,
                                                    1009])
            self.assertAlmostEqual(train["mean"][0], 0.1307, delta=5e-5)
            self.assertAlmostEqual(train["standard_deviation"][0], 0.3081, delta=5e-5)

    def test_data_without_a_preset_choose_one_that_suits_them(self):
        done = self.succeed("train", "--data", self.mnist, "--steps", 2, *settings(*harness.TINY),
                            cwd=self.folder)
        self.assertIn('preset "mnist"', done.stderr)
        run = self.folder / "runs" / "mnist"
        self.assertEqual(readers.checkpoints(run), ["step-00000002"])
        # A run knows its data: held-out digits are found again.
        held_out = self.succeed("denoise", run, "--t", 50, "--limit", 16, "--chain-images", 0,
                                "--json")
        self.assertEqual(json.loads(held_out.stdout)["images"], 16)


if __name__ == "__main__":
    harness.main()
