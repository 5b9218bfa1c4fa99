#!/usr/bin/env bash
# Checks layers, style, shell scripts, formatting, and the C++ sources with clang-tidy: those that are
# named as arguments, or all of them, which takes ten seconds a file. Needs a finished build.

# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly DATABASE=build/lint

# Prints the path of a tool, or fails with what to install.
tool() {
  command -v "$1" || fail "expected $1 on PATH; run: sudo apt-get install ${2:-$1}"
}

# Writes the commands of our own files as clang can run them: without the header that gcc has
# precompiled (the sources include what they use), once for each file, and with the part of omp.h
# that LibTorch's headers use, since gcc's is not for clang and clang's is a package of its own.
write_database() {
  mkdir -p "$DATABASE/include"
  cat >"$DATABASE/include/omp.h" <<'EOF'
#pragma once
extern "C" {
int omp_get_max_threads();
int omp_get_num_threads();
int omp_get_thread_num();
int omp_in_parallel();
void omp_set_num_threads(int);
}
EOF
  python3 - "$BUILD/compile_commands.json" "$DATABASE/compile_commands.json" <<'EOF'
import json
import re
import sys

commands = {entry["file"]: entry for entry in json.load(open(sys.argv[1]))
            if "/src/tinta/" in entry["file"]}
for entry in commands.values():
    entry["command"] = re.sub(r" -Winvalid-pch| -include \S*cmake_pch\.hxx", "",
                              entry["command"])
json.dump(list(commands.values()), open(sys.argv[2], "w"))
EOF
}

main() {
  local tidy
  python3 tests/lint/check_layers.py
  python3 tests/lint/check_style.py
  "$(tool shellcheck)" -x scripts/*.sh tests/scripts/*.sh .ci/run
  scripts/format.sh --check
  tidy=$(tool clang-tidy-16)
  write_database
  if (($#)); then
    printf '%s\0' "$@"
  else
    git ls-files -z --cached --others --exclude-standard -- 'src/tinta/*.cpp'
  fi | xargs -0 -r -n 1 -P "$(jobs_at_a_time)" \
    "$tidy" -p "$DATABASE" --quiet --extra-arg="-isystem$PWD/$DATABASE/include"
  echo "lint: nothing to say"
}

main "$@"
