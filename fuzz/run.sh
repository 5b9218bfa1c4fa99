#!/bin/sh
# Builds the fuzz targets and runs each for some seconds, seeded with the golden files.
#   fuzz/run.sh [SECONDS] [BUILD_FOLDER]
# Stops at the first finding; its input is left in BUILD_FOLDER/findings. What was learnt stays in
# BUILD_FOLDER/corpus for the next run.
set -eu
seconds=${1:-60}
root=$(cd "$(dirname "$0")/.." && pwd)
build=${2:-$root/build/fuzz}

cmake -S "$root" --preset fuzz -B "$build"
cmake --build "$build" --target fuzzers
for format in idx npy npz safetensors png image cifar tar; do
  mkdir -p "$build/corpus/$format" "$build/findings"
  # 16 KiB reach every branch of these formats; the time limit catches an input that takes too long.
  "$build/bin/fuzz_$format" -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$build/findings/$format-" \
    "$build/corpus/$format" "$root/tests/golden/io"
done
