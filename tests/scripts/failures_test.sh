#!/usr/bin/env bash
# Set-up must say why it failed in one line, whatever the tools behind it printed. Feeds explain() of
# scripts/common.sh with what apt-get and pip print and compares the reason that it gives.

set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/scripts"
cp "$(dirname "${BASH_SOURCE[0]}")/../../scripts/common.sh" "$scratch/scripts/"
failures=0

# expect REASON LOG: the one line that explain() prints for this log must hold the reason.
expect() {
  local said
  mkdir -p "$scratch/build/logs"
  printf '%s\n' "$2" >"$scratch/build/logs/step.log"
  # shellcheck disable=SC1091  # a copy, so that the logs go to the scratch folder
  if said=$( (source "$scratch/scripts/common.sh" && explain step "the step") 2>&1); then
    echo "explain succeeded for: $2"
    failures=$((failures + 1))
  elif [[ $said != "error: the step: "*"$1"*"(build/logs/step.log)" || $said == *$'\n'* ]]; then
    printf 'expected one line with "%s", got: %s\n' "$1" "$said"
    failures=$((failures + 1))
  fi
}

expect "the disk is full" "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
expect "the disk is full" "E: You don't have enough free space in /var/cache/apt/archives/."
expect "another package manager" "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1"
expect "network" "Err:1 http://mirror bookworm InRelease
  Temporary failure resolving 'mirror'
E: Unable to locate package ninja-build"
expect "network" "WARNING: Retrying after connection broken by 'NewConnectionError: [Errno 111] Connection refused'
ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)"
expect "Unable to locate package librapidcheck-dev" "E: Unable to locate package librapidcheck-dev"
expect "No matching distribution found for torch==9.9.9" "ERROR: No matching distribution found for torch==9.9.9"
expect "something else broke" "a line before it
something else broke
"

if ((failures)); then exit 1; fi
echo "each failure is explained in one line"
