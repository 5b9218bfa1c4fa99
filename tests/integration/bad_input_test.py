#!/usr/bin/env python3
"""Bad data, bad configs, bad runs and a full disk: one clear line, the right exit code, and nothing
half-written.

usage: bad_input_test.py TINTA [unittest arguments]
"""

import gzip
import os
import shutil
import stat
import struct
from pathlib import Path

import harness
import readers
from harness import ProgramTest, settings

SIDE, COUNT = 28, 20


def idx_files(folder: Path, labels: int = COUNT, classes: int = 10) -> dict[str, Path]:
    """A small MNIST of grey ramps, and the paths of its two files."""
    folder.mkdir()
    pixels = bytes((i + p) % 256 for i in range(COUNT) for p in range(SIDE * SIDE))
    contents = {
        "images": ("train-images-idx3-ubyte.gz",
                   struct.pack(">4I", 0x803, COUNT, SIDE, SIDE) + pixels),
        "labels": ("train-labels-idx1-ubyte.gz",
                   struct.pack(">2I", 0x801, labels) + bytes(i % classes for i in range(labels)))}
    paths = {}
    for kind, (name, content) in contents.items():
        paths[kind] = folder / name
        paths[kind].write_bytes(gzip.compress(content, mtime=0))
    return paths


class Data(ProgramTest):
    def setUp(self):
        super().setUp()
        self.data, self.out = self.folder / "data", self.folder / "run"
        self.words = ("train", "mnist", "--data", self.data, "--out", self.out, "--steps", 1,
                      *settings(*harness.TINY))

    def assert_refused(self, code: int, *parts: str) -> None:
        self.fail_with(code, *parts, words=self.words)
        self.assertFalse((self.out / "config.toml").exists())

    def test_whole_files_are_trained_on(self):
        idx_files(self.data)
        self.succeed(*self.words)
        self.assertEqual(readers.checkpoints(self.out), ["step-00000001"])

    def test_a_missing_folder_is_named(self):
        self.assert_refused(2, str(self.data))

    def test_a_truncated_file_is_named_with_the_place(self):
        images = idx_files(self.data)["images"]
        packed = images.read_bytes()
        images.write_bytes(packed[:len(packed) // 2])
        self.assert_refused(1, images.name, "byte ")
        images.write_bytes(gzip.compress(gzip.decompress(packed)[:-1]))
        self.assert_refused(1, images.name, f"expected {COUNT * SIDE * SIDE} bytes")

    def test_a_file_of_another_kind_is_named_with_the_place(self):
        images = idx_files(self.data)["images"]
        images.write_bytes(gzip.compress(b"\x89PNG\r\n\x1a\n" + bytes(100)))
        self.assert_refused(1, images.name, "byte 0: expected an IDX file")

    def test_counts_that_differ_are_both_named(self):
        idx_files(self.data, labels=COUNT - 1)
        self.assert_refused(1, f"{COUNT - 1} labels", f"{COUNT} images")

    def test_other_classes_than_the_presets_are_refused_with_what_would_suit_them(self):
        idx_files(self.data, classes=5)
        self.assert_refused(2, "model.classes = 10", "--set model.classes=5")
        self.succeed(*self.words, *settings("model.classes=5"))

    def test_a_lost_file_is_named(self):
        idx_files(self.data)["labels"].unlink()
        self.assert_refused(1, "train-labels-idx1-ubyte")


class Configs(ProgramTest):
    def test_every_mistake_of_a_file_is_listed_with_its_line(self):
        file = self.folder / "mine.toml"
        file.write_text("[training]\nbacth = 3\nsteps = 'many'\n[modle]\nchannels = 8\n",
                        encoding="utf-8")
        done = harness.run("train", file, "--out", self.folder / "run")
        self.assertEqual(done.returncode, 2, done.stderr)
        for part in ("line 2", '"batch"', "line 3", "whole number", "line 4", '"model"'):
            self.assertIn(part, done.stderr)
        self.assertFalse((self.folder / "run").exists())

    def test_every_broken_rule_is_listed_at_once(self):
        done = harness.run("train", "glyphs", "--out", self.folder / "run", *settings(
            "training.batch=0", "model.dropout=1", "process.beta_end=2", "sampling.sampler=ddmp"))
        self.assertEqual(done.returncode, 2, done.stderr)
        for part in ("training.batch: ", "model.dropout: ", "process.beta_end: ",
                     "sampling.sampler: ", '"ddpm"'):
            self.assertIn(part, done.stderr)
        self.assertFalse((self.folder / "run").exists())

    def test_unknown_names_are_refused_with_the_nearest(self):
        self.fail_with(2, '"mnist"', words=("train", "mnits"))
        self.fail_with(2, '"training.log_every"',
                       words=("train", "glyphs", *settings("training.log_evry=3")))


class Runs(ProgramTest):
    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "run"
        self.train(self.run_folder, "--steps", 4, *settings("training.checkpoint_every=2"))

    def test_a_run_without_a_whole_checkpoint_is_refused_with_what_is_wrong(self):
        for name in readers.checkpoints(self.run_folder):
            (self.run_folder / "checkpoints" / name / "manifest.json").write_text("{", "utf-8")
        done = harness.run("sample", self.run_folder)
        self.assertEqual(done.returncode, 2, done.stderr)
        for name in readers.checkpoints(self.run_folder):
            self.assertIn(f"checkpoint {name} is damaged", done.stderr)
        self.assertIn("expected a checkpoint, got none", done.stderr.splitlines()[-1])
        shutil.rmtree(self.run_folder / "checkpoints")
        self.fail_with(2, "expected a checkpoint, got none", words=("sample", self.run_folder))

    def test_a_damaged_file_of_a_run_is_named(self):
        for name, code in (("data.json", 1), ("config.toml", 2)):
            path = self.run_folder / name
            whole = path.read_text(encoding="utf-8")
            path.write_text("[", encoding="utf-8")
            self.fail_with(code, name, words=("sample", self.run_folder))
            path.write_text(whole, encoding="utf-8")


class Outputs(ProgramTest):
    """Where pictures and weights cannot be written."""

    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "run"
        self.train(self.run_folder, "--steps", 2)
        self.sample = ("sample", self.run_folder, "-n", 64, "--steps", 2)

    def test_a_disk_that_fills_up_leaves_nothing_half_written(self):
        before = readers.content(self.run_folder)
        for words in ((*self.sample, "-o", self.folder / "out.png"),
                      ("denoise", self.run_folder, "--t", 5, "--chain-images", 0,
                       "-o", self.folder / "out.png")):
            self.fail_with(1, "out.png", "cannot write", words=words, full_after=1000)
            self.assertFalse((self.folder / "out.png").exists())
        npz = self.folder / "out.npz"
        npz.write_bytes(b"mine")
        # Room for the picture of two, but not for the arrays.
        self.fail_with(1, npz.name, "cannot write", full_after=6000, words=(
            "denoise", self.run_folder, "--t", "5", "--chain-images", 0, "--limit", 2,
            "-o", self.folder / "out.png", "--npz", npz, "--force"))
        self.assertEqual(npz.read_bytes(), b"mine")
        self.assertEqual(readers.content(self.run_folder), before)
        self.assert_nothing_half_written(self.folder)

    def test_a_disk_that_fills_up_under_a_run_leaves_its_last_checkpoint(self):
        whole = self.folder / "whole"
        self.train(whole, "--steps", 6)
        self.fail_with(1, "safetensors", "cannot write", full_after=10000,
                       words=("train", "--out", self.run_folder, "--resume", "--steps", 6))
        self.assertEqual(readers.checkpoints(self.run_folder), ["step-00000002"])
        newest = self.run_folder / "checkpoints" / "step-00000002"
        self.assertEqual(readers.checkpoint_faults(newest), [])
        self.assert_nothing_half_written(self.run_folder)
        # With room again, it goes on.
        self.succeed("train", "--out", self.run_folder, "--resume", "--steps", 6)
        name = "checkpoints/step-00000006/"
        contents = [readers.content(folder) for folder in (whole, self.run_folder)]
        for file in ("model.safetensors", "ema.safetensors", "optimizer.safetensors"):
            self.assertEqual(contents[0][name + file], contents[1][name + file], file)

    def test_a_full_disk_behind_stdout_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = harness.run(*self.sample, "--json", stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn("stdout", done.stderr.splitlines()[-1])

    def test_a_folder_that_cannot_be_made_is_named(self):
        (self.folder / "file").write_text("mine", encoding="utf-8")
        self.fail_with(1, str(self.folder / "file"),
                       words=(*self.sample, "-o", self.folder / "file" / "out.png"))

    def test_what_is_no_file_is_never_replaced(self):
        pipe, folder = self.folder / "pipe", self.folder / "folder"
        os.mkfifo(pipe)
        folder.mkdir()
        for path, kind in ((pipe, stat.S_ISFIFO), (folder, stat.S_ISDIR)):
            words = (*self.sample, "-o", path, "--force")
            done = harness.run(*words)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(path.name, done.stderr.splitlines()[-1])
            self.assertTrue(kind(path.stat().st_mode))
        self.assert_nothing_half_written(self.folder)


if __name__ == "__main__":
    harness.main()
