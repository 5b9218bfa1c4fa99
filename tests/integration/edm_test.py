#!/usr/bin/env python3
"""EDM's training from outside: preconditioning, log-normal noise, augmentation, Heun's sampler.

usage: edm_test.py TINTA [unittest arguments]
"""

import json
import math
from pathlib import Path

import numpy

import harness
import readers
from harness import ProgramTest, settings

EDM = settings("process.schedule=edm", "model.prediction=edm", "sampling.sampler=heun",
               "model.resample=residual", "model.up_attention=last", "model.residual_scale=0.7071",
               "model.conditioning=features", "model.augment_conditioning=true",
               "data.augment=0.3", "model.multipliers=1,2", "sampling.steps=5")
VALIDATED = settings("data.validation=0.25", "training.validate_every=3")


class EdmTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "run"

    def pictures(self, *words: object) -> numpy.ndarray:
        """Of one sampling command, uint8."""
        npz = self.folder / f"{len(list(self.folder.iterdir()))}.npz"
        self.succeed("sample", self.out, "-n", 8, "--npz", npz, "-o", npz.with_suffix(".png"), *words)
        return numpy.load(npz)["images"]

    def test_the_preset_is_the_published_network(self):
        told = json.loads(self.succeed("model", "info", "cifar10-edm", "--json").stdout)
        self.assertEqual(told["parameters"], 55_735_299)

    def test_a_tiny_run_learns_draws_and_validates(self):
        self.train(self.out, *EDM, *VALIDATED, "--steps", 60, *settings(
            "training.learning_rate=3e-3", "training.log_every=10", "training.ema_decay=0.9"))
        losses = [json.loads(line)["loss"] for line in
                  (self.out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
        # The target has unit variance, and a new net says zero: it begins near 1.
        self.assertTrue(0.3 < losses[0] < 3, losses)
        self.assertLess(losses[-1], 0.9 * losses[0])
        line = json.loads((self.out / "validation.jsonl").read_text(encoding="utf-8")
                          .splitlines()[0])
        edges = [part["sigma_low"] for part in line["bins"]] + [line["bins"][-1]["sigma_high"]]
        self.assertEqual(edges, sorted(edges))
        # The bins are tenths of the distribution: half of it lies below exp(-1.2).
        self.assertAlmostEqual(line["bins"][4]["sigma_high"], math.exp(-1.2), places=6)
        for sampler in ("heun", "ddim", "ddpm"):
            pictures = self.pictures("--sampler", sampler, "--steps", 4)
            self.assertEqual(pictures.shape, (8, 28, 28))
            self.assertGreater(pictures.std(), 1)
        numpy.testing.assert_array_equal(self.pictures("--seed", 3), self.pictures("--seed", 3))
        self.succeed("denoise", self.out, "--t", "20,90", "--limit", 8, "--chain-images", 2)

    def test_a_resumed_run_has_the_bytes_of_one_left_alone(self):
        words = (*EDM, *settings("training.checkpoint_every=3", "training.log_every=3"))
        self.train(self.out, "--steps", 4, *words)
        self.succeed("train", "--out", self.out, "--resume", "--steps", 8)
        whole = self.folder / "whole"
        self.train(whole, "--steps", 8, *words)
        last = [readers.tensors(run / "checkpoints" / "step-00000008" / "model.safetensors")
                for run in (self.out, whole)]
        for name, weights in last[0].items():
            numpy.testing.assert_array_equal(weights, last[1][name], err_msg=name)

    def test_parts_of_a_batch_and_recomputation_give_the_same_weights(self):
        weights = []
        for number, words in enumerate(((), settings("training.accumulate=2"),
                                        settings("model.recompute=true"))):
            run = self.folder / str(number)
            self.train(run, "--steps", 2, *EDM, *words, *settings("training.precision=fp32"))
            weights.append(readers.tensors(run / "checkpoints" / "step-00000002"
                                           / "model.safetensors"))
        for other in weights[1:]:
            for name, one in weights[0].items():
                numpy.testing.assert_allclose(one, other[name], atol=2e-4, err_msg=name)

    def test_what_does_not_go_together_is_refused(self):
        for key, complaint in (("model.prediction=v", "model.prediction: expected \"edm\""),
                               ("model.augment_conditioning=false",
                                "model.augment_conditioning: expected true"),
                               ("data.flip=true", "data.flip: expected false"),
                               ("process.sigma_max=0.001", "process.sigma_max: expected above")):
            words = ("train", "glyphs", "--out", self.out, *settings(*harness.TINY_GLYPHS), *EDM,
                     *settings(key))
            self.fail_with(2, complaint, words=words)
        self.assertFalse(Path(self.out).exists())


if __name__ == "__main__":
    harness.main()
