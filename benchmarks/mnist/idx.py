"""Reading MNIST's own files, so that nothing here depends on the code that is being judged."""

import gzip
import math
import pathlib
import struct

import numpy


def read_idx(path):
    """An IDX file of unsigned bytes, plain or gzip, as a NumPy array."""
    raw = pathlib.Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08":
        raise SystemExit(f"{path}: expected an IDX file of unsigned bytes")
    rank = raw[3]
    sizes = struct.unpack_from(f">{rank}I", raw, 4)
    if len(raw) != 4 + 4 * rank + math.prod(sizes):
        raise SystemExit(f"{path}: expected {sizes} bytes of data, got {len(raw) - 4 - 4 * rank}")
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * rank).reshape(sizes)


def read_split(folder, prefix):
    """Images uint8 [N,28,28] and labels int64 [N]; prefix is "train" or "t10k"."""

    def find(stem):
        for name in (stem, stem + ".gz"):
            if (pathlib.Path(folder) / name).exists():
                return pathlib.Path(folder) / name
        raise SystemExit(f"{folder}: expected {stem} or {stem}.gz")

    images = read_idx(find(f"{prefix}-images-idx3-ubyte"))
    labels = read_idx(find(f"{prefix}-labels-idx1-ubyte")).astype(numpy.int64)
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise SystemExit(f"{folder}: images {images.shape} and labels {labels.shape} do not pair")
    return images, labels
