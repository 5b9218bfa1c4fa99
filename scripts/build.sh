#!/usr/bin/env bash
# Configures where needed and builds: all targets of the release preset, or those that are named.

# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly STAMP=.venv/tinta-setup

# Ninja runs CMake again by itself when a CMake file has changed; it cannot see another LibTorch.
configured() {
  [[ -f $BUILD/build.ninja && ! $STAMP -nt $BUILD/build.ninja ]] &&
    grep -qxF "Torch_DIR:PATH=${Torch_DIR:-}" "$BUILD/CMakeCache.txt"
}

configure() {
  local reason
  echo "[configure] $BUILD"
  require_space 2000 "a build"
  logged configure cmake --preset release -D "Torch_DIR:PATH=${Torch_DIR:-}" && return
  # CMake indents the text of an error, under the line that says where it came from.
  reason=$(grep -A 3 'CMake Error' "$LOGS/configure.log" | grep -m 1 '^  ' | sed 's/^ *//' || true)
  fail "configuring: ${reason:-see the log} ($LOGS/configure.log)"
}

main() {
  local status=0
  configured || configure
  NINJA_STATUS='[%f/%t, %es] ' cmake --build --preset release --parallel "$(jobs_at_a_time)" \
    ${1+--target "$@"} || status=$?
  if ((status != 0)); then
    require_space 100 "a build"
    fail "the build stopped; the first error is above"
  fi
}

main "$@"
