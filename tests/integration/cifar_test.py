#!/usr/bin/env python3
"""The real CIFAR-10: what its authors say of it is what tinta reads, and it can be trained on.

usage: cifar_test.py TINTA [unittest arguments]

The batches of the binary version are looked for in the folder "cifar10" of TINTA_TEST_DATA, each alone
or packed with xz; where they are absent, the tests are skipped, or fail where CI=true.
"""

import gzip
import io
import json
import lzma
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

import harness
import numpy
import readers
from harness import ProgramTest, settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
import make_io_golden  # noqa: E402

DATA = Path(os.environ.get("TINTA_TEST_DATA")
            or os.environ.get("TINTA_TEST_DATA_DEFAULT")
            or Path(__file__).resolve().parents[3] / "shared" / "data") / "cifar10"
BATCHES = (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin")
NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def unpack(folder: Path) -> None:
    """The batches as their authors distribute them."""
    folder.mkdir()
    shutil.copy(DATA / "batches.meta.txt", folder)
    for name in BATCHES:
        packed = DATA / (name + ".xz")
        content = lzma.decompress(packed.read_bytes()) if packed.exists() else (
            DATA / name).read_bytes()
        (folder / name).write_bytes(content)


class Cifar10(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.above = Path(tempfile.mkdtemp(prefix="tinta-cifar-"))
        cls.batches = cls.above / "cifar-10-batches-bin"
        if (DATA / "batches.meta.txt").exists():
            unpack(cls.batches)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.above, ignore_errors=True)

    def setUp(self):
        super().setUp()
        if not self.batches.exists():
            reason = f"no CIFAR-10 in {DATA}; TINTA_TEST_DATA names the folder above it"
            if os.environ.get("CI") == "true":
                self.fail(reason)
            self.skipTest(reason)

    def info(self, path: Path) -> dict:
        return json.loads(self.succeed("data", "info", path, "--json").stdout)

    def test_the_files_are_described_as_their_authors_do(self):
        info = self.info(self.above)
        self.assertEqual(info["source"], "cifar10")
        train, test = info["splits"]
        self.assertEqual((train["count"], test["count"]), (50000, 10000))
        self.assertEqual([train[key] for key in ("channels", "height", "width")], [3, 32, 32])
        self.assertEqual(train["class_counts"], [5000] * 10)
        self.assertEqual(test["class_counts"], [1000] * 10)
        self.assertEqual(train["class_names"], NAMES)
        # What everybody normalises by.
        numpy.testing.assert_allclose(train["mean"], [0.4914, 0.4822, 0.4465], atol=3e-4)
        numpy.testing.assert_allclose(train["standard_deviation"], [0.2470, 0.2435, 0.2616],
                                      atol=3e-4)

    def test_the_archive_and_the_python_version_hold_the_same_pictures(self):
        records = numpy.frombuffer((self.batches / "test_batch.bin").read_bytes(), numpy.uint8)
        records = records.reshape(-1, 3073)[:500]
        (self.folder / "some.bin").write_bytes(records.tobytes())
        python = self.folder / "cifar-10-batches-py"
        python.mkdir()
        (python / "test_batch").write_bytes(make_io_golden.python2_pickle({
            b"labels": records[:, 0].tolist(), b"data": records[:, 1:]}))
        archive = self.folder / "cifar-10-python.tar.gz"
        unpacked = io.BytesIO()
        with tarfile.open(fileobj=unpacked, mode="w") as tar:
            for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
                tar.add(python / "test_batch", f"cifar-10-batches-py/{name}")
        archive.write_bytes(gzip.compress(unpacked.getvalue(), compresslevel=1))
        [binary] = self.info(self.folder / "some.bin")["splits"]
        [pickled] = self.info(python)["splits"]
        train, archived = self.info(archive)["splits"]
        for split in (pickled, archived):
            self.assertEqual({**split, "name": "train"}, binary)
        self.assertEqual(train["count"], 5 * 500)
        for i in range(3):
            self.assertAlmostEqual(train["mean"][i], binary["mean"][i], places=12)

    def test_it_is_trained_on(self):
        done = self.succeed("train", "--data", self.above, "--steps", 1, *settings(*harness.TINY),
                            cwd=self.folder)
        self.assertIn('preset "cifar10"', done.stderr)
        self.assertIn("50000 pictures of 3 x 32 x 32, 10 classes: airplane, ", done.stderr)
        run = self.folder / "runs" / "cifar10"
        self.assertEqual(readers.checkpoints(run), ["step-00000001"])

    def test_a_batch_that_is_cut_or_lost_is_named(self):
        for name in BATCHES:
            (self.folder / name).symlink_to(self.batches / name)
        cut = self.folder / "data_batch_3.bin"
        cut.unlink()
        self.fail_with(1, "data_batch_3.bin", words=("data", "info", self.folder))
        cut.write_bytes((self.batches / cut.name).read_bytes()[:100_000])
        self.fail_with(1, "data_batch_3.bin", "byte 98336", words=("data", "info", self.folder))


if __name__ == "__main__":
    harness.main()
