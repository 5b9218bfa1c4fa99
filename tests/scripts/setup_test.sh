#!/usr/bin/env bash
# Runs setup.sh and build.sh in a folder of their own, with stand-ins for apt-get, pip, cmake and df
# that fail as the real ones do: each must end with exit code 1 and one clear last line, and a set-up
# that failed must not count as done.

set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
readonly place=$scratch/place
failures=0

# stand_in NAME: a program NAME, first on PATH, whose script is on stdin.
stand_in() {
  { echo '#!/bin/bash' && cat; } >"$place/bin/$1"
  chmod +x "$place/bin/$1"
}

# A machine on which everything is installed but LibTorch, and where installing it works.
fresh_machine() {
  rm -rf "$place"
  mkdir -p "$place/bin" "$place/scripts"
  cp "$project"/scripts/{common,setup,build}.sh "$place/scripts/"
  stand_in dpkg-query <<'STAND_IN'
for name in "${@:4}"; do echo "$name installed"; done
STAND_IN
  stand_in sudo <<<'exit 1'
  stand_in apt-get <<<'echo "no need of me"; exit 1'
  stand_in ninja <<<''
  stand_in cmake <<<'echo cmake version 3.25.1'
  stand_in python <<'STAND_IN'
if [[ "$*" == "-m venv .venv" ]]; then mkdir -p .venv/bin && cp "$0" .venv/bin/python; fi
STAND_IN
}

without_packages() { stand_in dpkg-query <<<'exit 1'; }

# expect CODE LAST COMMAND...: exit code and what the last line holds.
expect() {
  local code=$1 last=$2 said status=0
  shift 2
  said=$(cd "$place" && env -u Torch_DIR -u TINTA_TORCH -u CXX PATH="$place/bin:$PATH" PYTHON="$place/bin/python" \
    "$@" 2>&1) || status=$?
  if [[ $status != "$code" || $(tail -n 1 <<<"$said") != *"$last"* ]]; then
    printf 'expected exit code %s and a last line with "%s", got %s:\n%s\n' "$code" "$last" "$status" "$said"
    failures=$((failures + 1))
  fi
}

expect_not_set_up() {
  [[ ! -e $place/.venv/tinta-setup ]] || { echo "a failed set-up counts as done" && failures=$((failures + 1)); }
}

fresh_machine
expect 0 "torch==2.13.0" scripts/setup.sh
stand_in python <<<'echo "asked again" && exit 1'
expect 0 "[set-up 2/2]" scripts/setup.sh # it looks, and there is nothing to do

# Installing takes root or sudo; here a stand-in for sudo gives way, and below it does not.
fresh_machine
without_packages
stand_in sudo <<<'shift; "$@"'
stand_in apt-get <<<'echo "W: Temporary failure resolving the mirror" && exit 100'
expect 1 "error: installing Debian packages: the network or the package server cannot be reached" \
  scripts/setup.sh

fresh_machine
without_packages
chmod 777 "$place"
as_a_user=()
if ((EUID == 0)); then as_a_user=(setpriv --reuid=65534 --clear-groups); fi
expect 1 "run: sudo apt-get install --no-install-recommends libcli11-dev" \
  "${as_a_user[@]}" scripts/setup.sh

fresh_machine
stand_in cmake <<<'echo cmake version 3.18.4'
expect 1 "error: expected CMake 3.25 or newer, got 3.18.4" scripts/setup.sh

fresh_machine
stand_in python <<'STAND_IN'
case "$*" in
"-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*" pip install "*) echo "ERROR: No matching distribution found for torch==2.13.0" && exit 1 ;;
esac
STAND_IN
expect 1 "not offered by the package servers: No matching distribution found" scripts/setup.sh
expect_not_set_up

fresh_machine
stand_in python <<'STAND_IN'
if [[ "$*" == "-m venv .venv" ]]; then echo "Error: [Errno 28] No space left on device" && exit 1; fi
STAND_IN
expect 1 "error: making .venv: the disk is full" scripts/setup.sh
expect_not_set_up

fresh_machine
stand_in df <<'STAND_IN'
printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 9 9 102400 99%% /\n'
STAND_IN
expect 1 "a virtual environment with LibTorch needs about 3000 MiB of disk space, got 100 MiB free" \
  scripts/setup.sh
expect 1 "a build needs about 2000 MiB of disk space, got 100 MiB free" scripts/build.sh

fresh_machine
expect 1 "expected Torch_DIR=<prefix>/share/cmake/Torch of a LibTorch, got /nowhere" \
  env Torch_DIR=/nowhere scripts/setup.sh

fresh_machine
stand_in cmake <<'STAND_IN'
printf 'CMake Error at cmake/LibTorch.cmake:9 (message):\n  [LibTorch] expected version 2.10.0 or newer\n'
exit 1
STAND_IN
expect 1 "error: configuring: [LibTorch] expected version 2.10.0 or newer" scripts/build.sh

fresh_machine
stand_in cmake <<'STAND_IN'
[[ $1 != --build ]] || { echo "x.cpp:1: error: that is no C++" && exit 2; }
STAND_IN
expect 1 "error: the build stopped; the first error is above" scripts/build.sh

if ((failures)); then exit 1; fi
echo "each failure ends with one clear line"
