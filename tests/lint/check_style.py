#!/usr/bin/env python3
"""What every text file of the project must and must not hold.

  - no source file over 400 lines;
  - no notes to ourselves (they belong in the issue tracker);
  - no one's home folder or package server: what is written here must be true on every machine;
  - no tabs (but in Makefiles), no space at a line's end, a newline at the end of the file.

usage: check_style.py [ROOT]    prints one line for each broken rule; exit code 1 when there is one
"""

import re
import subprocess
import sys
from pathlib import Path

LONGEST = 400
SOURCES = {".h", ".cpp", ".cu", ".py", ".sh", ".cmake"}
TEXTS = SOURCES | {".md", ".txt", ".toml", ".json", ".yml", ".yaml"}
NAMED_TEXTS = {"Makefile", ".clang-format", ".clang-tidy", ".gitignore", "run"}
# Split so that this file does not break its own rules.
FORBIDDEN = {
    re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b"): "a note to ourselves",
    re.compile(r"/(ho" r"me|Us" r"ers)/\w+|(?<![\w.-])/(ro" r"ot|wo" r"rk)/"): "a path of one machine",
    re.compile(r"pypi\.(or" r"g)|pythonhosted\.(or" r"g)|npmjs\.(co" r"m|or" r"g)|"
               r"(deb|security)\.debian\.(or" r"g)|download\.pytorch\.(or" r"g)|crates\.(i" r"o)"):
        "a package server's name",
}


def tracked_files(root: Path) -> list[Path]:
    """Files of the project: git's, or all of them where there is no git (an unpacked archive)."""
    listing = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False)
    if listing.returncode == 0:
        return sorted(root / name for name in listing.stdout.split("\0") if name)
    skipped = {"build", ".venv", "runs", "figures"}
    return sorted(p for p in root.rglob("*") if p.relative_to(root).parts[0] not in skipped)


def is_text(path: Path) -> bool:
    return path.is_file() and (path.suffix in TEXTS or path.name in NAMED_TEXTS)


def check_line(path: Path, line: str) -> list[str]:
    """The rules that one line breaks."""
    problems = [what for pattern, what in FORBIDDEN.items() if pattern.search(line)]
    if line != line.rstrip():
        problems.append("space at the end of the line")
    if "\t" in line and path.name != "Makefile":
        problems.append("a tab")
    return problems


def check_file(path: Path) -> list[str]:
    """The rules that one file breaks, each as "line: what"."""
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    problems = [f"{number}: {what}" for number, line in enumerate(lines, start=1)
                for what in check_line(path, line)]
    if text and not text.endswith("\n"):
        problems.append(f"{len(lines)}: no newline at the end of the file")
    if path.suffix in SOURCES and len(lines) - 1 > LONGEST:
        problems.append(f"{LONGEST + 1}: expected at most {LONGEST} lines, got {len(lines) - 1}")
    return problems


def check_tree(root: Path) -> list[str]:
    """Every broken rule of the project."""
    return [f"{path.relative_to(root)}:{problem}" for path in tracked_files(root) if is_text(path)
            for problem in check_file(path)]


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    problems = check_tree(root)
    print("\n".join(problems) if problems else "style: nothing to say")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
