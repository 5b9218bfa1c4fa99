#!/usr/bin/env python3
"""What the documents tell a reader to type exists: commands, flags, presets, keys, make's targets.

usage: snippets_test.py TINTA [unittest arguments]
"""

import functools
import re
import shlex
import subprocess
import unittest
from pathlib import Path

import harness

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md",
             ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands_of(text: str) -> list[list[str]]:
    """Every tinta and make command of a document: in blocks marked sh, and in `code` of its prose."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    lines = [line for block in re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
             for line in block.replace("\\\n", " ").splitlines()]
    lines += [code.replace("\n", " ") for code in re.findall(r"`((?:tinta|make) [^`]*)`", prose)]
    found = []
    for line in lines:
        for part in re.split(r"\s(?:&&|\|\||\||;)\s", line):
            words = shlex.split(part, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words = words[1:]  # VARIABLE=value command
            if words and Path(words[0]).name in ("tinta", "make"):
                found.append([Path(words[0]).name, *words[1:]])
    return found


@functools.cache
def help_of(*command: str) -> str:
    done = harness.run(*command, "--help")
    return done.stdout if done.returncode == 0 else ""


def listed(title: str) -> list[str]:
    """The names in a section of the overview."""
    section = help_of().split(f"{title}:\n")[1].split("\n\n")[0]
    return [re.split(r"\s{2,}", line.strip())[0] for line in section.splitlines()]


def mistakes_of_tinta(words: list[str]) -> list[str]:
    """What is wrong with the words after "tinta"."""
    if not words or words[0].startswith("-"):
        return [word for word in words if word not in help_of()]
    if words[0].isupper() or "..." in words[0]:
        return []  # tinta COMMAND --help
    command = next((name for name in listed("Commands") if words[:len(name.split())] == name.split()),
                   None)
    if command is None:
        return [f"no command {' '.join(words[:2])}"]
    rest = words[len(command.split()):]
    flags = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", help_of(*command.split()).split("\nExample")[0])
    wrong = [f"no flag {word}" for word in rest
             if re.match(r"--?[A-Za-z]", word) and word.split("=")[0] not in flags]
    first = rest[0] if rest and not rest[0].startswith("-") else ""
    named = re.fullmatch(r"[a-z0-9-]+", first) and command in ("train", "model info", "config check")
    if named and first not in listed("Presets"):
        wrong.append(f"no preset {first}")
    for flag, value in zip(rest, rest[1:]):
        if flag == "--set" and "=" in value:
            done = harness.run("config", "check", first if named else "glyphs", "--set", value)
            if "known key" in done.stderr:
                wrong.append(f"no key {value}")
    return wrong


def mistakes_of_make(words: list[str]) -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):", makefile, re.M)
    return [f"no target {word}" for word in words
            if "=" not in word and not word.startswith("-") and word not in targets]


def mistakes(command: list[str]) -> list[str]:
    check = mistakes_of_tinta if command[0] == "tinta" else mistakes_of_make
    return check(command[1:])


class Snippets(unittest.TestCase):
    def test_documents_name_only_what_exists(self):
        seen = 0
        for path in filter(Path.exists, DOCUMENTS):
            for command in commands_of(path.read_text(encoding="utf-8")):
                seen += 1
                with self.subTest(document=path.name, command=" ".join(command)):
                    self.assertEqual(mistakes(command), [])
        self.assertGreater(seen, 10)

    def test_shell_blocks_can_be_parsed(self):
        for path in filter(Path.exists, DOCUMENTS):
            for block in re.findall(r"^```sh\n(.*?)^```$", path.read_text(encoding="utf-8"),
                                    re.M | re.S):
                done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True,
                                      check=False)
                self.assertEqual(done.returncode, 0, f"{path.name}: {done.stderr}")

    def test_what_does_not_exist_is_seen(self):
        text = "\n".join([
            "Say `tinta trian` or `tinta sample runs/x --clas 7`.", "```sh",
            "tinta train mnits --data mnist   # a preset that is not there",
            "build/release/bin/tinta train glyphs --set training.bacth=3 --minuts=3",
            "NO_COLOR=1 tinta frobnicate runs/x && make tset", "tinta --vresion", "```",
            "```text", "tinta trian", "```"])
        self.assertEqual([mistakes(command) for command in commands_of(text)], [
            ["no preset mnits"], ["no flag --minuts=3", "no key training.bacth=3"],
            ["no command frobnicate runs/x"], ["no target tset"], ["--vresion"],
            ["no command trian"], ["no flag --clas"]])


if __name__ == "__main__":
    harness.main()
