#!/usr/bin/env python3
"""Run folders with a flipped or a lost byte: seen, told, and gone round where there is a way.

usage: damage_test.py TINTA [unittest arguments]
"""

import random
import shutil
from pathlib import Path

import harness
import readers
from harness import ProgramTest, settings

STEPS = 6
FILES = ("model.safetensors", "ema.safetensors", "optimizer.safetensors", "state.json",
         "clock.json", "manifest.json")


def flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:chance.randrange(len(content) - 1)])


class Damage(ProgramTest):
    def setUp(self):
        super().setUp()
        self.chance = random.Random(3)
        self.alone, self.half, self.run_folder = (
            self.folder / name for name in ("alone", "half", "run"))
        every = settings("training.checkpoint_every=2", "training.log_every=1")
        self.train(self.alone, "--steps", STEPS, *every)
        self.train(self.half, "--steps", 4, *every)

    def begin(self) -> None:
        shutil.rmtree(self.run_folder, ignore_errors=True)
        shutil.copytree(self.half, self.run_folder)

    def resume(self) -> tuple:
        return ("train", "--out", self.run_folder, "--resume", "--steps", STEPS)

    def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(self):
        for name in FILES:
            for damage in (flip, cut):
                self.begin()
                damage(self.run_folder / "checkpoints" / "step-00000004" / name, self.chance)
                with self.subTest(file=name, damage=damage.__name__):
                    done = self.succeed(*self.resume(), errors="replace")
                    warning = [line for line in done.stderr.splitlines() if "damaged" in line]
                    self.assertEqual(len(warning), 1, done.stderr)
                    for part in ("step-00000004 is damaged", name, "expected",
                                 "step-00000002 is used instead"):
                        self.assertIn(part, warning[0])
                    self.assertIn("going on from step-00000002", done.stderr)
                    contents = [readers.content(run) for run in (self.alone, self.run_folder)]
                    differences = [name for name in readers.differences(*contents)
                                   if name != "budget.json"]
                    self.assertEqual(differences, [])

    def test_damage_that_there_is_no_way_round_is_one_line_that_names_the_file(self):
        for name, words in (("config.toml", self.resume()),
                            ("config.toml", ("sample", self.run_folder)),
                            ("data.json", ("sample", self.run_folder)),
                            ("budget.json", self.resume()[:-2])):
            for damage in (flip, cut):
                self.begin()
                damage(self.run_folder / name, self.chance)
                done = harness.run(*words, errors="replace")  # a broken byte is shown
                self.assertIn(done.returncode, (1, 2), name)
                complaints = [line for line in done.stderr.splitlines()
                              if line.startswith("tinta: ")]
                self.assertEqual(len(complaints), 1, done.stderr)
                self.assertIn(name, complaints[0])
        self.begin()
        for checkpoint in readers.checkpoints(self.run_folder):
            cut(self.run_folder / "checkpoints" / checkpoint / "ema.safetensors", self.chance)
        done = harness.run(*self.resume())
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected a whole checkpoint to go on from, got 2 damaged ones",
                      done.stderr.splitlines()[-1])


if __name__ == "__main__":
    harness.main()
