#!/usr/bin/env bash
# Formats the C++ sources in place; with --check only names the files that would change, and fails.

# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

formatter=$(command -v "${CLANG_FORMAT:-clang-format-16}" || true)
[[ -n $formatter ]] || fail "expected clang-format-16 on PATH; run: sudo apt-get install clang-format-16"

mode=(-i)
if [[ ${1:-} == --check ]]; then mode=(--dry-run --Werror); fi
git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cpp' '*.cu' |
  xargs -0 -r "$formatter" --style=file "${mode[@]}"
