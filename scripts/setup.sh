#!/usr/bin/env bash
# Installs what a build needs: Debian packages, and LibTorch as the torch wheel in .venv. Looks at
# the machine each time and does only what is missing, so that running it again takes an instant.
#
# Environment:
#   Torch_DIR     an existing LibTorch (<prefix>/share/cmake/Torch): no wheel is installed
#   TINTA_TORCH   another version of the wheel, for example torch==2.12.0
#   PYTHON        the Python for .venv, 3.10 or newer
#   PIP_...       pip's own settings are honoured (index, links, proxy, certificates)

# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly TORCH=${TINTA_TORCH:-torch==2.13.0}
readonly STAMP=.venv/tinta-setup
# Debian's names; "name:command" is satisfied by the command too, wherever it came from.
readonly NEEDED=(cmake:cmake ninja-build:ninja libcli11-dev libtomlplusplus-dev nlohmann-json3-dev
  libpng-dev libjpeg-dev libwebp-dev libpango1.0-dev fonts-dejavu-core pkg-config:pkg-config libssl-dev
  zlib1g-dev libarchive-dev libcurl4-openssl-dev libgloo-dev libgtest-dev libgmock-dev librapidcheck-dev)
readonly FASTER=(ccache:ccache mold:mold libtcmalloc-minimal4)

# Prints those of its arguments that are not installed.
missing_packages() {
  local entry names=() installed
  for entry in "$@"; do
    if [[ $entry != *:* ]] || ! command -v "${entry#*:}" >/dev/null; then
      names+=("${entry%:*}")
    fi
  done
  ((${#names[@]})) || return 0
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${names[@]}" 2>/dev/null || true)
  for entry in "${names[@]}"; do
    grep -qx "$entry installed" <<<"$installed" || echo "$entry"
  done
}

python_works() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

# Prints a Python that can make the virtual environment.
find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3 /usr/bin/python3; do
    if python_works "$candidate"; then
      echo "$candidate"
      return
    fi
  done
}

# Prints every Debian package that is missing and cannot be done without.
required_packages() {
  missing_packages "${NEEDED[@]}"
  command -v "${CXX:-c++}" >/dev/null || echo g++
  if ! environment_ready && [[ -z $(find_python) ]]; then echo python3-venv; fi
}

environment_requirements() {
  [[ -n ${Torch_DIR:-} ]] || echo "$TORCH"
  # What the tests need: arrays, TensorBoard's own reader of its events, a launcher of processes.
  echo numpy
  echo tensorboard
  echo 'openmpi; platform_machine == "x86_64"'
}

environment_ready() {
  [[ -x .venv/bin/python && -f $STAMP && $(<"$STAMP") == "$(environment_requirements)" ]]
}

install_packages() {
  local as_root=() required optional
  mapfile -t required < <(required_packages)
  mapfile -t optional < <(missing_packages "${FASTER[@]}")
  ((${#required[@]} + ${#optional[@]})) || return 0
  if ! command -v apt-get >/dev/null; then
    ((${#required[@]})) && echo "    no apt-get here: make sure of the equivalents of ${required[*]}"
    return 0
  fi
  if ((EUID != 0)); then
    as_root=(sudo -n)
    if ! sudo -n true 2>/dev/null; then
      ((${#required[@]})) || return 0
      fail "packages are missing; run: sudo apt-get install --no-install-recommends ${required[*]} ${optional[*]}"
    fi
  fi
  echo "    installing ${required[*]} ${optional[*]}"
  # A list that cannot be refreshed matters only if the packages then cannot be installed.
  logged apt-update ${as_root[@]+"${as_root[@]}"} apt-get update || true
  if ! logged apt-install ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends \
    "${required[@]}" "${optional[@]}"; then
    cat "$LOGS/apt-update.log" >>"$LOGS/apt-install.log"
    explain apt-install "installing Debian packages"
  fi
}

check_tools() {
  local version
  command -v "${CXX:-c++}" >/dev/null || fail "expected a C++20 compiler, got none on PATH (CXX names another)"
  version=$(cmake --version 2>/dev/null | awk 'NR == 1 { print $3 }')
  if [[ $(printf '3.25\n%s\n' "$version" | sort -V | head -n 1) != 3.25 ]]; then
    fail "expected CMake 3.25 or newer, got ${version:-none}"
  fi
  command -v ninja >/dev/null || fail "expected ninja, got none on PATH"
}

install_environment() {
  local python requirements
  environment_ready && return
  python=$(find_python)
  [[ -n $python ]] || fail "expected Python 3.10 or newer with venv, got $(python3 --version 2>&1 || true); PYTHON names another"
  mapfile -t requirements < <(environment_requirements)
  require_space 3000 "a virtual environment with LibTorch"
  echo "    ${requirements[*]} into .venv (minutes on a slow line; watch $LOGS/pip.log)"
  rm -f "$STAMP"
  logged venv "$python" -m venv .venv || explain venv "making .venv"
  logged pip .venv/bin/python -m pip install --disable-pip-version-check "${requirements[@]}" ||
    explain pip "installing ${requirements[*]}"
  environment_requirements >"$STAMP"
}

check_torch_dir() {
  local root=${Torch_DIR%/}
  root=${root%/share/cmake/Torch}
  [[ -f $root/lib/libtorch_cpu.so ]] || fail "expected Torch_DIR=<prefix>/share/cmake/Torch of a LibTorch, got $Torch_DIR"
}

main() {
  if [[ -n ${Torch_DIR:-} ]]; then check_torch_dir; fi
  echo "[set-up 1/2] packages and tools"
  install_packages
  check_tools
  echo "[set-up 2/2] LibTorch: ${Torch_DIR:-$TORCH in .venv}"
  install_environment
}

main
