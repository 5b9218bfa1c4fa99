#!/usr/bin/env python3
"""Training on pictures of one's own: folders of mixed sizes and formats, arrays, the cache, tinta data
doctor.

usage: data_test.py TINTA [unittest arguments]
"""

import json
import os
import shutil
import signal
from pathlib import Path

import harness
import numpy
import readers
from harness import ProgramTest, settings

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "io"
# Grey, RGB, CMYK and transparent ones, turned by EXIF, from 5 to 24 pixels wide.
CATS = ("rgb.jpeg", "grey.jpeg", "cmyk.jpeg", "lossy.webp", "turned6.jpeg", "grey16.png")
DOGS = ("progressive.jpeg", "alpha.webp", "rgba8.png", "palette4.png", "rgb16-interlaced.png")
QUICK = settings(*harness.TINY)


class OwnPictures(ProgramTest):
    """Commands see a cache of the test's own."""

    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.photos = self.folder / "my_photos"
        for name, pictures in (("cats", CATS), ("dogs", DOGS)):
            (self.photos / name).mkdir(parents=True)
            for picture in pictures:
                shutil.copy(GOLDEN / picture, self.photos / name)

    def options(self) -> dict:
        return {"env": harness.environment(TINTA_CACHE=str(self.cache)), "cwd": self.folder}

    def train_on(self, *words: object, steps: int = 2):
        return self.succeed("train", "--data", "my_photos/", *QUICK, "--steps", steps, *words,
                            **self.options())

    def packs(self) -> list[Path]:
        return sorted(self.cache.glob("*"))


class Folder(OwnPictures):
    def test_a_folder_of_mixed_pictures_is_trained_on_without_another_flag(self):
        done = self.train_on("--image-size", 16)
        self.assertIn("2 classes: cats, dogs", done.stderr)
        run = self.folder / "runs" / "my_photos"
        self.assertEqual(readers.checkpoints(run), ["step-00000002"])
        shape = json.loads((run / "data.json").read_text("utf-8"))
        self.assertRegex(shape.pop("sha256"), "^[0-9a-f]{64}$")
        self.assertEqual(shape, {"channels": 3, "height": 16, "width": 16,
                                 "class_names": ["cats", "dogs"]})
        config = (run / "config.toml").read_text("utf-8")
        for line in ("classes = 2", "size = 16", 'source = "folder"'):
            self.assertIn(line, config)
        grid = self.succeed("sample", run, "--class", 1, "-n", 2, **self.options())
        self.assertIn(".png", grid.stdout)

    def test_pictures_are_packed_once_and_again_only_where_they_change(self):
        self.train_on("--image-size", 16, "--out", "a")
        [pack] = self.packs()
        before = pack.stat().st_mtime_ns
        second = self.train_on("--image-size", 16, "--out", "b")
        self.assertNotIn("packing", second.stderr)
        self.assertEqual([path.stat().st_mtime_ns for path in self.packs()], [before])
        self.assertEqual(readers.differences(*(readers.content(self.folder / run) for run in "ab")),
                         [])
        shutil.copy(GOLDEN / "full.jpeg", self.photos / "cats")
        self.assertIn("have changed", self.train_on("--image-size", 16, "--out", "c").stderr)
        self.assertEqual(self.packs(), [pack])

    def test_a_damaged_pack_is_noticed_and_packed_again(self):
        self.train_on("--image-size", 16, "--out", "a")
        [pack] = self.packs()
        data = bytearray(pack.read_bytes())
        data[-100] ^= 1
        pack.write_bytes(data)
        self.assertIn("warning: packed pictures are damaged",
                      self.train_on("--image-size", 16, "--out", "b").stderr)
        self.assertEqual(readers.differences(*(readers.content(self.folder / run) for run in "ab")),
                         [])

    def test_a_run_goes_on_when_its_pack_is_gone(self):
        self.train_on("--image-size", 16, "--out", "a")
        shutil.rmtree(self.cache)
        self.succeed("train", "--out", "a", "--resume", "--steps", 4, **self.options())
        self.train_on("--image-size", 16, "--out", "b", steps=4)
        model = "checkpoints/step-00000004/model.safetensors"
        self.assertEqual(*((self.folder / run / model).read_bytes() for run in "ab"))

    def test_a_full_disk_leaves_no_half_of_a_pack(self):
        self.fail_with(1, "cannot write", full_after=1000, **self.options(), words=(
            "train", "--data", "my_photos", "--image-size", 16, *QUICK, "--steps", 1))
        self.assertEqual(self.packs(), [])

    def test_an_interrupt_while_pictures_are_packed_ends_it_at_once_and_leaves_nothing(self):
        large = self.folder / "large.png"
        harness.write_png(large, numpy.arange(1500 * 1500).reshape(1500, 1500) % 251)
        for i in range(2000):
            os.link(large, self.photos / "cats" / f"large{i}.png")
        process = harness.start("train", "--data", "my_photos", "--image-size", 16, *QUICK,
                                "--steps", 1, **self.options())
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        while "packing" not in (line := process.stderr.readline()):
            self.assertTrue(line, "it ended before")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=harness.PATIENCE)
        self.assertEqual(process.returncode, 128 + signal.SIGINT, stderr)
        self.assertIn("tinta: stopped before there was anything to save", stderr)
        self.assertEqual(self.packs(), [])
        self.assertFalse((self.folder / "runs").exists())

    def test_held_out_pictures_are_measured_where_there_is_no_test_split(self):
        held_out = settings("data.validation=0.4", "data.flip=true", "data.balance=true")
        self.train_on("--image-size", 16, "--out", "a", *held_out)
        done = self.succeed("denoise", "a", "--t", 20, "--chain-images", 0, "--json",
                            **self.options())
        count = json.loads(done.stdout)["images"]
        self.assertIn(f"{len(CATS + DOGS) - count} pictures of 3 x 16 x 16",
                      (self.folder / "a" / "log.jsonl").read_text("utf-8"))

    def test_a_broken_picture_is_named_and_nothing_is_begun(self):
        (self.photos / "cats" / "broken.jpg").write_bytes((GOLDEN / "rgb.jpeg").read_bytes()[:300])
        self.fail_with(1, "cats/broken.jpg", "tinta data doctor", **self.options(), words=(
            "train", "--data", self.photos, *QUICK, "--steps", 1))
        self.assertFalse((self.folder / "runs").exists())

    def test_a_size_for_data_that_have_one_is_refused(self):
        self.fail_with(2, "--image-size", words=("train", "mnist", "--data", "d", "--image-size", 32))


class Arrays(OwnPictures):
    def test_an_npz_is_trained_on_as_it_is(self):
        images = numpy.random.default_rng(0).integers(0, 256, (12, 20, 20), dtype=numpy.uint8)
        numpy.savez_compressed(self.folder / "digits.npz", images=images,
                               labels=numpy.arange(12) % 3)
        done = self.succeed("train", "--data", "digits.npz", *QUICK, "--steps", 1,
                            *settings("data.channels=1", "model.image_channels=1",
                                      "data.validation=0"), **self.options())
        self.assertIn("12 pictures of 1 x 20 x 20, 3 classes", done.stderr)
        self.assertTrue((self.folder / "runs" / "digits" / "config.toml").exists())
        info = json.loads(self.succeed("data", "info", "digits.npz", "--json",
                                       **self.options()).stdout)
        self.assertEqual(info["source"], "arrays")
        self.assertEqual(info["splits"][0]["class_counts"], [4, 4, 4])
        self.assertAlmostEqual(info["splits"][0]["mean"][0], images.mean() / 255, places=12)


    def test_a_set_larger_than_memory_is_streamed(self):
        # Zeros that take no place on the disk, as numpy.save() would write them.
        count, side, memory = 50_000, 64, 512 << 20
        with open(self.folder / "large.npy", "wb") as file:
            numpy.lib.format.write_array_header_1_0(file, {
                "descr": "|u1", "fortran_order": False, "shape": (count, side, side, 3)})
            size = file.tell() + count * side * side * 3
            file.truncate(size)
        self.assertGreater(size, memory)
        done = self.succeed("train", "--data", "large.npy", *QUICK, "--steps", 1, memory=memory,
                            **self.options())
        self.assertIn(f"{count} pictures of 3 x {side} x {side}", done.stderr)
        [pack] = self.packs()
        self.assertGreater(pack.stat().st_size, memory)


class Doctor(OwnPictures):
    def findings(self, path: Path, code: int) -> dict:
        done = harness.run("data", "doctor", path, "--json", **self.options())
        self.assertEqual(done.returncode, code, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["ok"], code == 0)
        return {finding["kind"]: finding for finding in report["findings"]}

    def test_what_would_spoil_a_run_is_found(self):
        shutil.copy(GOLDEN / "rgb.jpeg", self.photos / "dogs" / "copy.jpeg")
        (self.photos / "cats" / "cut.webp").write_bytes((GOLDEN / "lossy.webp").read_bytes()[:80])
        (self.photos / "dogs" / "notes.txt").write_text("notes", encoding="utf-8")
        shutil.copy(GOLDEN / "other.gif", self.photos / "dogs" / "wrong.png")
        found = self.findings(self.photos, 1)
        unreadable = found["unreadable"]
        self.assertEqual(unreadable["severity"], "error")
        self.assertEqual([text.split(":")[0] for text in unreadable["examples"]],
                         ["cats/cut.webp", "dogs/wrong.png"])
        self.assertIn("got a GIF", unreadable["examples"][1])
        self.assertEqual(found["copies"]["examples"], ["dogs/copy.jpeg = cats/rgb.jpeg"])
        self.assertEqual(found["labels-disagree"]["examples"], found["copies"]["examples"])
        self.assertEqual(len(found["tiny-class"]["examples"]), 2)
        self.assertEqual(len(found["small"]["examples"]), len(CATS + DOGS) + 1)
        self.assertEqual(found["passed-over"]["examples"], ["dogs/notes.txt"])
        self.assertEqual(found["channels"]["examples"], ["cats/grey.jpeg", "cats/grey16.png"])
        self.assertNotIn("range", found)
        done = harness.run("data", "doctor", self.photos, **self.options())
        self.assertEqual(done.returncode, 1)
        self.assertIn("error: 2 pictures cannot be read\n  cats/cut.webp: ", done.stdout)

    def test_copies_in_two_splits_and_flat_pictures_are_found(self):
        for split, start in (("train", 0), ("test", 19)):
            images = numpy.random.default_rng(1).integers(0, 256, (40, 8, 40, 3), dtype=numpy.uint8)
            images[5] = 7
            numpy.savez(self.folder / f"{split}.npz", images=images[start:start + 20])
        found = self.findings(self.folder, 0)
        self.assertEqual(found["copies-across-splits"]["examples"],
                         ["test picture 0 = train picture 19"])
        self.assertEqual(len(found["flat"]["examples"]), 1)
        self.assertEqual(len(found["elongated"]["examples"]), 40)
        self.assertNotIn("unreadable", found)

    def test_bytes_that_are_no_more_than_zero_and_one_are_found(self):
        images = numpy.random.default_rng(1).integers(0, 2, (20, 16, 16), dtype=numpy.uint8)
        numpy.savez(self.folder / "bits.npz", images=images)
        found = self.findings(self.folder / "bits.npz", 0)
        self.assertIn("lie in 0..1, of the 0..255", found["range"]["text"])
        self.assertNotIn("channels", found)

    def test_good_data_have_nothing_to_complain_of(self):
        images = numpy.random.default_rng(2).integers(0, 256, (40, 16, 16), dtype=numpy.uint8)
        numpy.savez(self.folder / "x.npz", images=images, labels=numpy.arange(40) % 4)
        done = self.succeed("data", "doctor", self.folder / "x.npz", **self.options())
        self.assertTrue(done.stdout.endswith("nothing to complain of\n"), done.stdout)

    def test_nothing_there_is_refused(self):
        self.fail_with(2, "which is not there", words=("data", "doctor", self.folder / "none"))
        os.mkdir(self.folder / "empty")
        self.fail_with(1, "expected PNG", words=("data", "doctor", self.folder / "empty"))


if __name__ == "__main__":
    harness.main()
