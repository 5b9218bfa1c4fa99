#!/usr/bin/env bash
# Compiles the CUDA kernels, or the .cu files that are named as arguments, without a GPU and without
# LibTorch: by nvcc of CUDA 13 (kernels and launches) and by NVRTC of CUDA 12 (kernels). Both come
# from PyPI into build/cuda-venv, 150 MB once; an nvcc on PATH is taken instead of the wheel's.
#
# Exit code 77: they cannot be had, because there is no network; 1 then where CI=true.

# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly VENV=build/cuda-venv
readonly OUT=build/cuda-check
readonly STAMP=$VENV/tinta-setup
readonly ARCHITECTURES=(80 90)
readonly NVCC_WHEELS=(nvidia-cuda-nvcc==13.0.* nvidia-cuda-crt==13.0.* nvidia-nvvm==13.0.*
  nvidia-cuda-runtime==13.0.*)
readonly NVRTC_WHEEL='nvidia-cuda-nvrtc-cu12==12.6.*'

wheels() {
  command -v nvcc >/dev/null || printf '%s\n' "${NVCC_WHEELS[@]}"
  echo "$NVRTC_WHEEL"
}

install_compilers() {
  [[ -f $STAMP && $(<"$STAMP") == "$(wheels)" ]] && return
  local names
  mapfile -t names < <(wheels)
  require_space 600 "a virtual environment with CUDA's compilers"
  rm -f "$STAMP"
  logged cuda-venv python3 -m venv "$VENV" || explain cuda-venv "making $VENV"
  if ! logged cuda-pip "$VENV/bin/python" -m pip install --disable-pip-version-check --no-deps \
    --retries 1 --timeout 20 "${names[@]}"; then
    if [[ ${CI:-} == true ]]; then explain cuda-pip "installing CUDA's compilers"; fi
    (explain cuda-pip "skipped: installing CUDA's compilers") || exit 77
  fi
  wheels >"$STAMP"
}

# by_nvcc FILE: what it includes can only come from src and from CUDA itself.
by_nvcc() {
  local nvcc=$1 file=$2 architecture options=()
  for architecture in "${ARCHITECTURES[@]}"; do
    options+=(-gencode "arch=compute_$architecture,code=sm_$architecture")
  done
  "$nvcc" -std=c++20 -O3 --fmad=false -Werror all-warnings -Xcompiler=-Wall,-Wextra,-Werror \
    "${options[@]}" -I src -I "$(dirname "$nvcc")/../include" -c "$file" \
    -o "$OUT/$(basename "$file").o"
  echo "$(basename "$file"): $("$nvcc" --version | sed -n 's/.*release \([^,]*\),.*/nvcc \1/p')," \
    "sm_${ARCHITECTURES[*]}"
}

check() {
  local nvcc=$1 nvrtc=$2 file=$3
  by_nvcc "$nvcc" "$file"
  python3 scripts/nvrtc_check.py "$nvrtc" src "$file" "${ARCHITECTURES[@]}"
}

main() {
  local nvcc nvrtc files=("$@") file running=() failed=0
  install_compilers
  nvcc=$(command -v nvcc || echo "$VENV"/lib/python3*/site-packages/nvidia/cu13/bin/nvcc)
  nvrtc=$(echo "$VENV"/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12)
  ((${#files[@]})) || mapfile -t files < <(find src -name '*.cu' | sort)
  ((${#files[@]})) || fail "expected .cu files in src, got none"
  mkdir -p "$OUT"
  for file in "${files[@]}"; do
    check "$nvcc" "$nvrtc" "$file" &
    running+=($!)
  done
  for file in "${running[@]}"; do wait "$file" || failed=1; done
  ((failed == 0)) || fail "a CUDA kernel does not compile"
  echo "cuda: ${#files[@]} files compile"
}

main "$@"
