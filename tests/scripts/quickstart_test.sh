#!/usr/bin/env bash
# Runs quickstart.sh with a stand-in for tinta: what it asks of tinta for a new run, for one that is
# there, and for one that tinta refuses to continue, which must not be lost.

set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/scripts" "$scratch/build/release/bin"
cp "$project"/scripts/{common,quickstart}.sh "$scratch/scripts/"
cd "$scratch"
failures=0

# tinta_that REFUSAL: notes its arguments; train writes a run, and ends with REFUSAL where it resumes.
tinta_that() {
  cat >build/release/bin/tinta <<STAND_IN
#!/bin/bash
echo "\$*" >>calls
if [[ \$* == *--resume* && $1 != 0 ]]; then exit $1; fi
if [[ \$1 == train ]]; then mkdir -p runs/quickstart && touch runs/quickstart/config.toml; fi
STAND_IN
  chmod +x build/release/bin/tinta
}

# expect CODE CALLS: exit code, and the commands that tinta was given.
expect() {
  local status=0
  rm -f calls
  scripts/quickstart.sh >said 2>&1 || status=$?
  if [[ $status != "$1" || $(<calls) != "$2" ]]; then
    printf 'expected exit code %s after:\n%s\ngot %s after:\n%s\n' "$1" "$2" "$status" "$(<calls)"
    failures=$((failures + 1))
  fi
}

readonly TRAIN="train glyphs --out runs/quickstart --minutes 3"
readonly SAMPLE="sample runs/quickstart --per-class 8 --seed 1 -o runs/quickstart/digits.png --force"

tinta_that 0
expect 0 "$TRAIN
$SAMPLE"
expect 0 "$TRAIN --resume
$SAMPLE"

for kept in runs/quickstart-1 runs/quickstart-2; do
  echo "$kept" >runs/quickstart/weights
  tinta_that 2
  expect 0 "$TRAIN --resume
$TRAIN
$SAMPLE"
  if [[ $(cat "$kept/weights" 2>/dev/null) != "$kept" || -e runs/quickstart/weights ]]; then
    echo "expected the run that could not be continued in $kept"
    failures=$((failures + 1))
  fi
done

tinta_that 130
expect 130 "$TRAIN --resume"

if ((failures)); then exit 1; fi
echo "a run is begun, continued, or kept"
