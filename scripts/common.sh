# shellcheck shell=bash disable=SC2034  # the constants are used by the scripts that source this
# What the scripts of this folder share. Sourced, never run: it moves to the project's root.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly BUILD=build/release
readonly LOGS=build/logs

# fail TEXT...: one clear line on stderr, exit 1.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# require_space MIB WHAT: fails unless the project's file system has that much room.
require_space() {
  local free
  free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
  if ((free < $1)); then
    fail "$2 needs about $1 MiB of disk space, got $free MiB free in $PWD"
  fi
}

# logged NAME COMMAND...: runs a command with its output in build/logs/NAME.log.
logged() {
  local name=$1
  shift
  mkdir -p "$LOGS"
  "$@" >"$LOGS/$name.log" 2>&1 </dev/null
}

# explain NAME WHAT: fails with the most telling reason that build/logs/NAME.log gives.
explain() {
  local log=$LOGS/$1.log
  if grep -qiE 'no space left|enough free space|disk quota' "$log"; then
    fail "$2: the disk is full ($log)"
  elif grep -qiE 'could not get lock|unable to acquire.*lock' "$log"; then
    fail "$2: another package manager is at work; try again when it has finished ($log)"
  elif grep -qiE 'name resolution|temporary failure resolving|could not resolve|could not connect|unable to connect|failed to establish|network is unreachable|connection (refused|reset|timed out|to .* timed out)|timed out|proxyerror|sslerror' "$log"; then
    fail "$2: the network or the package server cannot be reached ($log)"
  elif grep -qiE 'unable to locate package|has no installation candidate|could not find a version|no matching distribution' "$log"; then
    fail "$2: not offered by the package servers: $(grep -iE 'unable to locate|no installation candidate|could not find a version|no matching distribution' "$log" | tail -n 1 | sed -E 's/^(E|ERROR): //') ($log)"
  fi
  fail "$2: $(grep -vE '^[[:space:]]*$' "$log" | tail -n 1) ($log)"
}

# How many jobs at a time: one per core, and 1.5 GB of memory for each compiler.
jobs_at_a_time() {
  local cores memory
  cores=$(nproc 2>/dev/null || echo 2)
  memory=$(awk '/^MemAvailable/ { print int($2 / 1500000) }' /proc/meminfo 2>/dev/null || echo "$cores")
  ((memory < 1)) && memory=1
  echo $((memory < cores ? memory : cores))
}
