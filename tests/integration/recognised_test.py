#!/usr/bin/env python3
"""tinta classifier train and tinta eval from outside, on pictures whose class anyone can see.

usage: recognised_test.py TINTA [unittest arguments]
"""

import json
import math
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy

import harness
import readers
from harness import ProgramTest, settings

SIDE = 16
CLASSES = 3  # which third of the picture, from left to right, is bright; in colour
shared = Path()


def pictures(count: int, seed: int) -> dict[str, numpy.ndarray]:
    random = numpy.random.default_rng(seed)
    images = random.normal(90, 25, (count, SIDE, SIDE, 3))
    labels = numpy.arange(count) % CLASSES
    for image, label in zip(images, labels):
        image[:, 5 * label:5 * label + 6] += 80
    return {"images": images.clip(0, 255).astype(numpy.uint8), "labels": labels.astype(numpy.int64)}


def setUpModule():
    global shared
    shared = Path(tempfile.mkdtemp(prefix="tinta-test-"))
    unittest.addModuleCleanup(shutil.rmtree, shared)
    (shared / "data").mkdir()
    numpy.savez(shared / "data" / "train.npz", **pictures(300, 1))
    numpy.savez(shared / "data" / "test.npz", **pictures(60, 2))
    must("classifier", "train", "--data", shared / "data", "--features", 8, "--epochs", 4,
         "--out", shared / "judge.safetensors")
    tiny = settings(*harness.TINY, f"data.size={SIDE}", f"model.classes={CLASSES}")
    must("train", "arrays", "--data", shared / "data", "--out", shared / "run", "--steps", 20, *tiny)
    must("train", "condor", "--out", shared / "plain", "--steps", 2,
         *settings(*harness.TINY, f"data.size={SIDE}"))


def must(*words: object) -> str:
    done = harness.run(*words, env=harness.environment(TINTA_CACHE=str(shared / "cache")))
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def wilson(hits: int, count: int) -> list[float]:
    """The roots of (p - hits / count)^2 = z^2 p (1 - p) / count."""
    z = 1.959963984540054
    a, b, c = 1 + z * z / count, -(2 * hits / count + z * z / count), (hits / count) ** 2
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    return [(-b - root) / (2 * a), (-b + root) / (2 * a)]


class RecognisedTest(ProgramTest):
    def evaluate(self, *words: object, judge: str = "judge.safetensors") -> dict:
        done = self.succeed("eval", "--metrics", "recognised", "--classifier", shared / judge,
                            "--json", *words)
        return json.loads(done.stdout)

    def test_a_classifier_says_how_good_it_is(self):
        out = self.folder / "c.safetensors"
        done = self.succeed("classifier", "train", "--data", shared / "data", "--features", 8,
                            "--epochs", 4, "--out", out, "--json",
                            env=harness.environment(TINTA_CACHE=str(shared / "cache")))
        told = json.loads(done.stdout)
        self.assertGreater(told["test_accuracy"], 0.9)
        self.assertEqual(told["test_pictures"], 60)
        self.assertEqual(told["classes"], CLASSES)
        self.assertEqual(told["epochs"], 4)
        self.assertEqual(told["output"], str(out))
        for got, expected in zip(told["interval"], wilson(round(60 * told["test_accuracy"]), 60)):
            self.assertAlmostEqual(got, expected, 9)
        tensors, metadata = read_safetensors(out)
        self.assertEqual(sum(math.prod(shape) for shape in tensors.values()), told["parameters"])
        config = json.loads(metadata["config"])
        self.assertEqual(config["test_accuracy"], told["test_accuracy"])
        pixels = numpy.load(shared / "data" / "train.npz")["images"] / 127.5 - 1
        numpy.testing.assert_allclose(config["mean"], pixels.mean(axis=(0, 1, 2)), atol=1e-6)
        numpy.testing.assert_allclose(config["deviation"], pixels.std(axis=(0, 1, 2)), atol=1e-6)
        # The same command gives the same file.
        self.assertEqual(read_safetensors(shared / "judge.safetensors")[0], tensors)
        self.assert_nothing_half_written(self.folder)

    def test_real_pictures_from_a_file_are_recognised_as_the_classifier_says(self):
        found = self.evaluate("--from", shared / "data" / "test.npz")
        share = found["metrics"]["recognised"]
        self.assertEqual(found["count"], 60)
        self.assertEqual(share["recognised"], share["classifier_test_accuracy"])
        confusion = numpy.array(share["confusion"])
        self.assertEqual(confusion.sum(axis=1).tolist(), [20, 20, 20])
        self.assertEqual(confusion.trace() / 60, share["recognised"])
        for k, entry in enumerate(share["classes"]):
            self.assertEqual(entry["recognised"], confusion[k, k] / 20)
            for got, expected in zip(entry["interval"], wilson(confusion[k, k], 20)):
                self.assertAlmostEqual(got, expected, 9)

    def test_wrong_labels_are_not_recognised(self):
        test = dict(numpy.load(shared / "data" / "test.npz"))
        test["labels"] = (test["labels"] + 1) % CLASSES
        numpy.savez(self.folder / "wrong.npz", **test)
        share = self.evaluate("--from", self.folder / "wrong.npz")["metrics"]["recognised"]
        self.assertLess(share["recognised"], 0.1)

    def test_a_runs_pictures_are_those_of_tinta_sample(self):
        words = ("--per-class", 4, "--steps", 3, "--seed", 5, "--guidance", 1.5)
        self.succeed("sample", shared / "run", *words, "--npz", self.folder / "s.npz", "-o",
                     self.folder / "s.png")
        drawn = self.evaluate(shared / "run", *words)
        read = self.evaluate("--from", self.folder / "s.npz")
        self.assertEqual(drawn["metrics"], read["metrics"])
        self.assertEqual([drawn[key] for key in ("count", "steps", "guidance", "seed", "step")],
                         [12, 3, 1.5, 5, 20])
        text = self.succeed("eval", shared / "run", "--metrics", "recognised", "--classifier",
                            shared / "judge.safetensors", *words).stdout
        share = drawn["metrics"]["recognised"]["recognised"]
        self.assertIn(f"recognised as asked: {100 * share:.1f}%", text)

    def test_what_does_not_fit_is_refused_before_anything_is_drawn(self):
        judge = ("--metrics", "recognised", "--classifier", shared / "judge.safetensors")
        self.fail_with(2, "trained with classes", "unconditional",
                       words=("eval", shared / "plain", *judge))
        self.fail_with(2, "expected --classifier FILE",
                       words=("eval", shared / "run", "--metrics", "recognised"))
        self.fail_with(2, "expected recognised, got \"recognized\"", "did you mean \"recognised\"?",
                       words=("eval", shared / "run", "--metrics", "recognized"))
        self.fail_with(2, "expected --metrics LIST", words=("eval", shared / "run"))
        self.fail_with(2, "a run folder or --from FILE, got none", words=("eval", *judge))
        self.fail_with(2, "--steps: expected nothing", words=(
            "eval", "--from", shared / "data" / "test.npz", *judge, "--steps", 3))
        numpy.savez(self.folder / "grey.npz", images=numpy.zeros((4, SIDE, SIDE), numpy.uint8),
                    labels=numpy.zeros(4, numpy.int64))
        self.fail_with(2, "expected one of pictures [1,16,16]", "got one of [3,16,16]",
                       words=("eval", "--from", self.folder / "grey.npz", *judge))
        numpy.savez(self.folder / "five.npz", images=numpy.zeros((4, SIDE, SIDE, 3), numpy.uint8),
                    labels=numpy.array([0, 1, 2, 5]))
        self.fail_with(2, "labels in 0..2, the classifier's classes, got 5",
                       words=("eval", "--from", self.folder / "five.npz", *judge))
        numpy.savez(self.folder / "bare.npz", images=numpy.zeros((4, SIDE, SIDE, 3), numpy.uint8))
        self.fail_with(2, "expected arrays images and labels",
                       words=("eval", "--from", self.folder / "bare.npz", *judge))

    def test_a_classifier_of_other_classes_is_refused(self):
        (self.folder / "two").mkdir()
        data = pictures(60, 3)
        data["labels"] %= 2
        for split in ("train", "test"):
            numpy.savez(self.folder / "two" / f"{split}.npz", **data)
        self.succeed("classifier", "train", "--data", self.folder / "two", "--features", 8,
                     "--epochs", 1, "--out", self.folder / "two.safetensors",
                     env=harness.environment(TINTA_CACHE=str(self.folder / "cache")))
        self.fail_with(2, "expected one of 3 classes, as the run has, got one of 2",
                       words=("eval", shared / "run", "--metrics", "recognised", "--classifier",
                              self.folder / "two.safetensors"))

    def test_damaged_files_are_refused(self):
        whole = (shared / "judge.safetensors").read_bytes()
        bad = self.folder / "bad.safetensors"
        words = ("eval", shared / "run", "--metrics", "recognised", "--classifier", bad)
        self.fail_with(2, "expected a file", "not there", words=words)
        for content, says in ((whole[:-100], str(bad)), (b"", str(bad)),
                              (whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], "damaged")):
            bad.write_bytes(content)
            self.fail_with(1, says, words=words)

    def test_outputs_that_exist_need_force(self):
        out = self.folder / "c.safetensors"
        out.write_bytes(b"mine")
        words = ("classifier", "train", "--data", shared / "data", "--features", 8, "--epochs", 1,
                 "--out", out)
        self.fail_with(2, "expected a new file (or --force)", words=words)
        self.assertEqual(out.read_bytes(), b"mine")
        self.succeed(*words, "--force",
                     env=harness.environment(TINTA_CACHE=str(shared / "cache")))
        self.assertGreater(out.stat().st_size, 1000)

    def test_training_asks_for_pictures_of_classes(self):
        self.fail_with(2, "expected --data PATH", words=("classifier", "train"))
        self.fail_with(2, "which is not there",
                       words=("classifier", "train", "--data", self.folder / "none"))
        self.fail_with(2, "expected pictures of classes, got \"condor\"",
                       words=("classifier", "train", "--data", "condor"))
        self.fail_with(2, "--features: expected a multiple of 8, got 12",
                       words=("classifier", "train", "--data", "glyphs", "--features", 12))


def read_safetensors(path: Path) -> tuple[dict[str, tuple], dict[str, str]]:
    """Shapes of the tensors, and the free text, by the format's definition."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + size])
    metadata = header.pop("__metadata__")
    return {name: tuple(entry["shape"]) for name, entry in header.items()}, metadata


if __name__ == "__main__":
    harness.main()
