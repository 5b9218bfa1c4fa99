#!/usr/bin/env python3
"""Holds docs/cli to what the program says: one page for each command with its help, word for word.

usage: cli_help_test.py TINTA DOCS_CLI [--update]    exit code 1 and a diff where they differ
"""

import difflib
import re
import subprocess
import sys
from pathlib import Path


def help_of(tinta: str, command: list[str]) -> str:
    """What `tinta COMMAND --help` prints."""
    done = subprocess.run([tinta, *command, "--help"], capture_output=True, text=True, check=True)
    if done.stderr:
        raise RuntimeError(f"expected no words on stderr, got {done.stderr!r}")
    return done.stdout


def commands_in(overview: str) -> list[list[str]]:
    """The commands that the overview lists."""
    section = overview.split("Commands:\n")[1].split("\n\n")[0]
    return [re.split(r"\s{2,}", line.strip())[0].split() for line in section.splitlines()]


def expected_pages(tinta: str) -> dict[str, str]:
    """File name -> content."""
    overview = help_of(tinta, [])
    pages = {}
    for command in [[], *commands_in(overview)]:
        title = " ".join(["tinta", *command])
        name = "-".join(command or ["tinta"]) + ".md"
        text = help_of(tinta, command).rstrip("\n")
        pages[name] = f"# {title}\n\n```text\n{text}\n```\n"
    return pages


def main() -> int:
    tinta, folder = sys.argv[1], Path(sys.argv[2])
    pages = expected_pages(tinta)
    if "--update" in sys.argv[3:]:
        for name, text in pages.items():
            (folder / name).write_text(text, encoding="utf-8")
    kept = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
    differs = False
    for name in sorted(pages.keys() | kept.keys()):
        diff = list(difflib.unified_diff(kept.get(name, "").splitlines(), pages.get(name, "").splitlines(),
                                         f"docs/cli/{name}", "tinta --help", lineterm=""))
        if diff:
            differs = True
            print("\n".join(diff))
    if differs:
        print("docs/cli is not what the program says: run this script with --update")
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
