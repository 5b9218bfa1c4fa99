#!/usr/bin/env python3
"""Holds the folders of src/tinta to the layers that src/tinta/CMakeLists.txt declares.

Each tinta_module(NAME [TORCH] [USES module...]), or tinta_programs(...), there is a folder. The rules:
  - a file includes tinta's headers by full path, "tinta/FOLDER/FILE.h", and that file exists;
  - FOLDER is the file's own, core, config, or one that the file's folder USES, directly or not;
  - a folder without TORCH includes nothing of LibTorch, and uses only folders without TORCH;
  - a header starts with #pragma once and never includes torch/torch.h, which takes 19 s to compile.

Of a folder of programs only core_main.cpp, the engine's, may use what has to do with torch: the rest
is the front, which starts in milliseconds because it loads none of it.

usage: check_layers.py [ROOT]    prints one line for each broken rule; exit code 1 when there is one
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

EVERYONE_MAY_USE = {"core", "config"}
LIBTORCH = ("ATen/", "c10/", "torch/")
ENGINE_MAIN = "core_main.cpp"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


@dataclass(frozen=True)
class Module:
    """What one tinta_module() or tinta_programs() line says."""

    name: str
    torch: bool
    uses: tuple[str, ...]
    programs: bool = False


def read_modules(cmake: str) -> dict[str, Module]:
    """The modules of a CMakeLists.txt, by name."""
    modules = {}
    code = re.sub(r"#.*", "", cmake)
    for kind, call in re.findall(r"\btinta_(module|programs)\s*\(([^)]*)\)", code):
        words = call.split()
        uses, keyword = [], ""
        for word in words[1:]:
            if word in ("TORCH", "USES", "LIBRARIES"):
                keyword = word
            elif keyword == "USES":
                uses.append(word)
        modules[words[0]] = Module(words[0], "TORCH" in words, tuple(uses), kind == "programs")
    return modules


def front_of(folder: Module, modules: dict[str, Module]) -> Module:
    """What a folder of programs may use in the files of the front."""
    uses = tuple(used for used in folder.uses if used in modules and not modules[used].torch)
    return Module(folder.name, torch=False, uses=uses, programs=True)


def reachable(modules: dict[str, Module], name: str) -> set[str]:
    """The folders that a folder may include from."""
    seen, waiting = set(), [name, *(EVERYONE_MAY_USE & modules.keys())]
    # core and config are the floor: nobody else's permission to use them is theirs.
    if name in EVERYONE_MAY_USE:
        waiting = [name]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting.extend(modules[module].uses if module in modules else ())
    return seen


def check_modules(modules: dict[str, Module]) -> list[str]:
    """Rules that the declarations themselves break."""
    problems = []
    for module in modules.values():
        for used in module.uses:
            if used not in modules:
                problems.append(f"CMakeLists.txt: {module.name} uses {used}, which is not declared")
            elif modules[used].torch and not module.torch:
                problems.append(f"CMakeLists.txt: {module.name} is without torch but uses {used}")
            elif module.name in reachable(modules, used) - {used}:
                problems.append(f"CMakeLists.txt: {module.name} and {used} use each other")
    return problems


def check_include(source: Path, file: Path, modules: dict[str, Module], mark: str,
                  target: str) -> str | None:
    """What is wrong with one #include of `file` (relative to `source`, the src folder), if anything."""
    folder = modules[file.parts[1]]
    if folder.programs and file.name != ENGINE_MAIN:
        modules = {**modules, folder.name: front_of(folder, modules)}
        folder = modules[folder.name]
    if target == "torch/torch.h" and file.suffix == ".h":
        return "a header must not include torch/torch.h: include the parts that it needs"
    if target.startswith(LIBTORCH):
        return None if folder.torch else f"{folder.name} is without torch but includes {target}"
    if not target.startswith("tinta/"):
        if mark == '"':
            return f'"{target}" is not a full path: expected "tinta/FOLDER/FILE.h"'
        return None
    if mark == "<":
        return f'<{target}> is our own: expected "{target}"'
    if not (source / target).is_file():
        return f'"{target}" does not exist'
    used = target.split("/")[1]
    if used not in reachable(modules, folder.name):
        return f'{folder.name} may not include "{target}": it does not use {used}'
    return None


def check_file(source: Path, file: Path, modules: dict[str, Module]) -> list[str]:
    """The rules that one file breaks, each as "path:line: what"."""
    if len(file.parts) < 3 or file.parts[1] not in modules:
        return [f"{file}:1: is in no folder that src/tinta/CMakeLists.txt declares as a module"]
    problems = []
    lines = (source / file).read_text(encoding="utf-8").splitlines()
    if file.suffix == ".h" and "#pragma once" not in lines:
        problems.append(f"{file}:1: a header needs #pragma once")
    for number, line in enumerate(lines, start=1):
        match = INCLUDE.match(line)
        wrong = match and check_include(source, file, modules, match[1], match[2])
        if wrong:
            problems.append(f"{file}:{number}: {wrong}")
    return problems


def check_tree(root: Path) -> list[str]:
    """Every broken rule of a source tree."""
    source = root / "src"
    modules = read_modules((source / "tinta" / "CMakeLists.txt").read_text(encoding="utf-8"))
    problems = check_modules(modules)
    for path in sorted((source / "tinta").rglob("*")):
        if path.suffix in (".h", ".cpp", ".cu"):
            problems += check_file(source, path.relative_to(source), modules)
    return problems


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    problems = check_tree(root)
    print("\n".join(problems) if problems else "layers: all includes are allowed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
