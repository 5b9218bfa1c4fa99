#!/usr/bin/env python3
"""What docs/theory promises its readers, held to the tree.

  - every link leads somewhere; code named in a link's text is in the file that it leads to;
  - every row of the laboratory is named in the guide, and every row named anywhere exists;
  - every equation of the sources has its place, in both languages, with the same formulas and links;
  - the table of equations agrees with the headers that cite them and with the rows that show them;
  - formulas keep to what the usual hosts render.

usage: theory_links.py [ROOT]    prints one line for each broken promise; exit code 1 when there is one
"""

import functools
import re
import sys
from pathlib import Path

THESIS = [f"2.{n}" for n in range(1, 24)]
LAB_SHEET = [f"lab {n}" for n in range(1, 9)]
ALGORITHMS = ["algorithm 2.2.1", "algorithm 2.3.3"]
TRANSLATED = ["guide", "lab-sheet"]
NOT_ROWS = {"list", "all", "report"}

LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
INLINE_MATH = re.compile(r"\$`([^`]*)`\$")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
# Refused or ignored by GitHub's MathJax or by KaTeX; cross-references work on neither.
FORBIDDEN = re.compile(r"\\(label|eqref|ref|newcommand|renewcommand|def|gdef|let|DeclareMathOperator|"
                       r"operatorname|mbox|phantom|bm|require|href|unicode|cal|bf|rm|it)\b"
                       r"|\\begin\{(equation|align|gather|eqnarray|multline)\*?\}")


def anchor(equation: str) -> str:
    """Where the guide has it: "eq-2-11", "eq-lab-4", "alg-2-3-3"."""
    if equation.startswith("algorithm "):
        return "alg-" + equation.removeprefix("algorithm ").replace(".", "-")
    return "eq-" + equation.replace(" ", "-").replace(".", "-")


def expand(prefix: str, text: str) -> list[str]:
    """The equations of "2.5-2.7, 2.15" or, with the prefix "lab ", of "4-7"."""
    found = []
    for first, last in re.findall(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", text):
        chapter, low = first.split(".") if "." in first else ("", first)
        high = last.split(".")[-1] if last else low
        dot = "." if chapter else ""
        found += [f"{prefix}{chapter}{dot}{n}" for n in range(int(low), int(high) + 1)]
    return found


def cited(text: str) -> list[str]:
    """The equations and algorithms that a comment or a row's source cites."""
    text = re.sub(r"\s*\n\s*(///?|\*)?\s*", " ", text)
    numbers = r"(\d+\.\d+(?:-\d+\.\d+)?(?:(?:,? and |, )\d+\.\d+(?:-\d+\.\d+)?)*)(?!\.?\d)"
    found = [e for match in re.findall(r"[Tt]hesis (?:eqs?\. )?" + numbers, text)
             for e in expand("", match)]
    whole = r"(\d+(?:-\d+)?(?:(?:,? and |, )\d+(?:-\d+)?)*)(?![.\d])"
    found += [e for match in re.findall(r"[Ll]ab (?:ex\. \d, )?eqs?\. " + whole, text) for e in expand("lab ", match)]
    found += [f"algorithm {n}" for n in re.findall(r"alg(?:orithm|\.) (\d\.\d\.\d)", text)]
    return found


@functools.cache
def identifiers(path: Path) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", path.read_text(encoding="utf-8")))


class Theory:
    """The pages of docs/theory in one tree, and what is wrong with them."""

    def __init__(self, root: Path):
        self.root = root
        self.folder = root / "docs" / "theory"
        self.pages = {path.name: path.read_text(encoding="utf-8")
                      for path in sorted(self.folder.glob("*.md"))}
        text = (root / "src/tinta/config/lab_rows.cpp").read_text(encoding="utf-8")
        self.rows = dict(re.findall(r'\{"([a-z0-9-]+)",\s*"((?:thesis|lab) [^"]*)",', text))
        self.headers = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
                        for path in sorted((root / "src" / "tinta").rglob("*.h"))}

    def table(self) -> dict[str, str]:
        """The lines of the table of equations, by equation."""
        return {first: line for first, line in re.findall(
            r"^\| \[([^\]]+)\]\(guide\.md#[^)]*\) (\|.*)$", self.pages["README.md"], re.M)}

    def problems(self) -> list[str]:
        wanted = ["README.md", "errata.md"] + [f"{name}{language}.md" for name in TRANSLATED
                                               for language in ("", ".es")]
        missing = [f"{name}: not there" for name in wanted if name not in self.pages]
        if missing or not self.rows:
            return missing + ([] if self.rows else ["lab_rows.cpp: no rows found"])
        found = []
        for page, text in self.pages.items():
            found += [f"{page}: {problem}" for problem in
                      [*self.links(page, text), *self.named_rows(text), *formulas(text)]]
        return found + self.equations() + self.languages() + self.table_and_code()

    def links(self, page: str, text: str) -> list[str]:
        found = []
        for label, target in LINK.findall(re.sub(r"\s*\n\s*", " ", BLOCK.sub("", text))):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, fragment = target.partition("#")
            path = (self.folder / name).resolve() if name else self.folder / page
            if not path.is_file():
                found.append(f"no file {target}")
                continue
            if fragment and f'<a id="{fragment}"></a>' not in self.pages.get(path.name, ""):
                found.append(f"no place {target}")
            symbol = re.fullmatch(r"`([^`]+)`", label)
            if symbol and path.suffix != ".md" and not self.holds(path, symbol[1]):
                found.append(f"{target} does not hold {symbol[1]}")
        return found

    def holds(self, path: Path, symbol: str) -> bool:
        """Whether a link's text belongs to the file that the link leads to."""
        if symbol.startswith("tinta lab "):
            row = symbol.split()[2]
            return row in self.rows and path == (
                self.root / "src/tinta/lab" / f"{row.replace('-', '_')}.cpp").resolve()
        if "/" in symbol or path.suffix == ".toml":
            return path.as_posix().endswith(symbol) or path.stem == symbol
        return set(symbol.split("::")) <= identifiers(path)

    def named_rows(self, text: str) -> list[str]:
        named = re.findall(r"(?<![\w/])tinta lab ([a-z0-9-]+)", text)
        return [f"no row {row}" for row in named if row not in self.rows and row not in NOT_ROWS]

    def equations(self) -> list[str]:
        found = []
        for language in ("", ".es"):
            for name, numbers in (("guide", THESIS + LAB_SHEET), ("lab-sheet", LAB_SHEET)):
                page = f"{name}{language}.md"
                text = self.pages[page]
                tags = {n for tag in re.findall(r"\\tag\{([^}]*)\}", text) for n in tag.split("; ")}
                found += [f"{page}: no equation ({n})" for n in numbers if n not in tags]
                places = numbers + (ALGORITHMS if name == "guide" else [])
                found += [f"{page}: no anchor {anchor(n)}" for n in places
                          if f'<a id="{anchor(n)}"></a>' not in text]
            guide = self.pages[f"guide{language}.md"]
            found += [f"guide{language}.md: row {row} is not linked" for row in self.rows
                      if f"[`tinta lab {row}`](" not in guide]
        return found

    def languages(self) -> list[str]:
        """A page and its translation have the same formulas and lead to the same code."""
        found = []
        for name in TRANSLATED:
            pair = [self.pages[f"{name}.md"], self.pages[f"{name}.es.md"]]
            blocks = [[re.sub(r"\\text\{[^}]*\}", "", body) for kind, body in BLOCK.findall(text)
                       if kind == "math"] for text in pair]
            links = [sorted(t for _, t in LINK.findall(re.sub(r"\s*\n\s*", " ", text))
                            if t.startswith("../../")) for text in pair]
            if blocks[0] != blocks[1]:
                found.append(f"{name}.es.md: its formulas are not those of {name}.md")
            if links[0] != links[1]:
                odd = sorted(set(links[0]) ^ set(links[1])) or ["some more often than the other"]
                found.append(f"{name}.es.md: its links are not those of {name}.md: {', '.join(odd)}")
        return found

    def table_and_code(self) -> list[str]:
        table = self.table()
        known = THESIS + LAB_SHEET + ALGORITHMS
        found = [f"README.md: no line for {n}" for n in known if n not in table]
        for n, line in table.items():
            if f"](guide.md#{anchor(n)})" not in self.pages["README.md"]:
                found.append(f"README.md: the line of {n} does not lead to {anchor(n)}")
            if line.count("tinta lab ") == 0 or "../../src/tinta/" not in line:
                found.append(f"README.md: the line of {n} needs code and a row")
        for name, text in self.headers.items():
            shows = "/lab/" in name or name.endswith("/lab_rows.h")  # rows are the last column's
            for n in dict.fromkeys(cited(text)):
                if n not in known:
                    found.append(f"{name}: cites {n}, which the sources do not have")
                elif f"(../../{name})" not in table.get(n, "") and not shows:
                    found.append(f"README.md: the line of {n} does not lead to {name}, which cites it")
        for row, source in self.rows.items():
            found += [f"README.md: the line of {n} does not lead to {row}, which shows it"
                      for n in cited(source) if f"`tinta lab {row}`" not in table.get(n, "")]
        return found


def formulas(text: str) -> list[str]:
    """What is wrong with a page's mathematics: $`...`$ in lines, ```math alone."""
    found = []
    if len(re.findall(r"^```", text, re.M)) % 2:
        found.append("a fence that does not close")
    prose = BLOCK.sub("", text)
    for line in prose.split("\n"):
        bare = INLINE_MATH.sub("", line)
        if "$" in re.sub(r"`[^`]*`", "", bare):
            found.append(f"a $ without its partner: {line.strip()[:60]}")
        if line.startswith("|") and any("|" in body for body in INLINE_MATH.findall(line)):
            found.append(f"a | in a formula of a table: {line.strip()[:60]}")
    bodies = [body for kind, body in BLOCK.findall(text) if kind == "math"]
    for body in bodies + INLINE_MATH.findall(prose):
        short = " ".join(body.split())[:60]
        if FORBIDDEN.search(body):
            found.append(f"{FORBIDDEN.search(body)[0]} is not for every host: {short}")
        if body not in bodies and "\\tag" in body:
            found.append(f"a tag within a line: {short}")
        if not balanced(body):
            found.append(f"not balanced: {short}")
    return found


def balanced(body: str) -> bool:
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", body):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    pairs = [len(re.findall(r"\\" + word + r"(?![a-zA-Z])", body)) for word in ("left", "right")]
    open_close = [sorted(re.findall(r"\\" + word + r"\{(\w+)\}", body)) for word in ("begin", "end")]
    return depth == 0 and pairs[0] == pairs[1] and open_close[0] == open_close[1]


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    problems = Theory(root.resolve()).problems()
    print("\n".join(problems) if problems else "theory: nothing to say")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
