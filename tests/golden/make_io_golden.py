#!/usr/bin/env python3
"""Makes tests/golden/io: small files written by other software, which tinta's readers must read.

Needs numpy, torch and safetensors; the PNGs are put together from the specification with zlib alone.
The files in the repository were made with Python 3.11.7, numpy 2.4.6, torch 2.13.0 and safetensors
0.8.0.
Run: python3 tests/golden/make_io_golden.py
"""

import gzip
import pathlib
import struct
import zlib

import numpy as np
import torch
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parent / "io"


def arrays():
    """One array of each dtype; the C++ tests know these formulas."""
    return {
        "u1": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "i4": np.arange(-3, 3, dtype=np.int32),
        "i8": (np.arange(8, dtype=np.int64) << 40).reshape(2, 2, 2),
        "f4": np.array([0.5, -1.25, np.inf, 1e-40], dtype=np.float32),
        "f8": np.array(3.141592653589793),
        "b1": np.array([[True], [False]]),
        "empty": np.zeros((0, 5), dtype=np.float32),
    }


def make_npy():
    for name, array in arrays().items():
        np.save(OUT / f"{name}.npy", array)
    np.savez(OUT / "stored.npz", **arrays())
    np.savez_compressed(OUT / "deflated.npz", **arrays())
    np.save(OUT / "bad-fortran.npy", np.asfortranarray(np.ones((2, 3), dtype=np.float32)))
    np.save(OUT / "bad-big-endian.npy", np.arange(3, dtype=">f4"))
    np.save(OUT / "bad-object.npy", np.array([{}, None], dtype=object), allow_pickle=True)
    np.save(OUT / "bad-dtype.npy", np.arange(3, dtype=np.complex64))
    with open(OUT / "bad-version.npy", "wb") as file:
        np.lib.format.write_array(file, np.arange(3, dtype=np.int64), version=(2, 0))


def make_safetensors():
    # The package sorts by alignment, largest first, then by name; a test encodes in that order and
    # expects these very bytes. bfloat16 has no NumPy dtype, so torch makes this file.
    tensors = {
        "f64": torch.tensor(3.141592653589793, dtype=torch.float64),
        "i64": torch.arange(4, dtype=torch.int64).reshape(2, 2) << 40,
        "f32": torch.tensor([0.5, -1.25, float("inf"), 1e-40]),
        "i32": torch.arange(-3, 3, dtype=torch.int32),
        "bf16": torch.tensor([1.0, -2.5, 3.0]).bfloat16(),
        "f16": torch.tensor([[0.5, 65504.0]]).half(),
        "i16": torch.tensor([-300, 300], dtype=torch.int16),
        "bool": torch.tensor([True, False, True]),
        "i8": torch.tensor([-128, 127], dtype=torch.int8),
        "u8": torch.arange(5, dtype=torch.uint8),
        "empty": torch.zeros(0, 7),
    }
    save_file(tensors, OUT / "all.safetensors", metadata={"made by": "the safetensors package, \"0.8\""})


def make_idx():
    header = struct.pack(">BBBBIII", 0, 0, 8, 3, 2, 3, 4)
    data = bytes(range(24))
    (OUT / "images.idx").write_bytes(header + data)
    (OUT / "images.idx.gz").write_bytes(gzip.compress(header + data, mtime=0))
    (OUT / "members.idx.gz").write_bytes(
        gzip.compress(header + data[:5], mtime=0) + gzip.compress(data[5:], mtime=0)
    )


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def pack_rows(samples, depth):
    """Rows of a pass, each behind filter type 0. samples is [H, W, S]."""
    out = b""
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            line = row.astype(">u2").tobytes()
        elif depth == 8:
            line = row.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(value), f"0{depth}b") for value in row)
            bits += "0" * (-len(bits) % 8)
            line = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        out += b"\0" + line
    return out


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(samples, depth, colour_type, interlaced=False, extra=b""):
    height, width = samples.shape[:2]
    if interlaced:
        passes = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        raw = b"".join(pack_rows(p, depth) for p in passes if p.size)
    else:
        raw = pack_rows(samples, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )


def eight_bits(samples, depth):
    return np.rint(samples.astype(np.float64) * 255 / (2**depth - 1))


def on_white(colour, alpha):
    return np.rint((colour * alpha + 255 * (255 - alpha)) / 255)


def make_png():
    rng = np.random.default_rng(20240501)
    height, width = 9, 7

    def write(name, file, expected):
        (OUT / f"{name}.png").write_bytes(file)
        np.save(OUT / f"{name}.png.npy", np.ascontiguousarray(expected.transpose(2, 0, 1)).astype(np.uint8))

    for depth in (1, 2, 4, 8, 16):
        grey = rng.integers(0, 2**depth, (height, width, 1))
        for interlaced in (False, True):
            suffix = "-interlaced" if interlaced else ""
            write(f"grey{depth}{suffix}", png(grey, depth, 0, interlaced), eight_bits(grey, depth))
    for depth in (8, 16):
        full = rng.integers(0, 2**depth, (height, width, 4))
        rgb = full[..., :3]
        eight = eight_bits(full, depth)
        write(f"rgb{depth}", png(rgb, depth, 2), eight[..., :3])
        write(f"rgb{depth}-interlaced", png(rgb, depth, 2, True), eight[..., :3])
        write(f"rgba{depth}", png(full, depth, 6), on_white(eight[..., :3], eight[..., 3:]))
        write(f"grey-alpha{depth}", png(full[..., :2], depth, 4), on_white(eight[..., :1], eight[..., 1:2]))
    palette = rng.integers(0, 256, (16, 3))
    plte = chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    index = rng.integers(0, 16, (height, width, 1))
    for depth in (4, 8):
        write(f"palette{depth}", png(index, depth, 3, extra=plte), palette[index[..., 0]])
    alpha = np.full(16, 255)
    alpha[:5] = rng.integers(0, 256, 5)
    trns = chunk(b"tRNS", alpha[:5].astype(np.uint8).tobytes())
    write(
        "palette-alpha",
        png(index, 4, 3, extra=plte + trns),
        on_white(palette[index[..., 0]], alpha[index]),
    )
    grey = rng.integers(0, 4, (height, width, 1))
    write(
        "grey2-transparent",
        png(grey, 2, 0, extra=chunk(b"tRNS", struct.pack(">H", 1))),
        np.where(grey == 1, 255, eight_bits(grey, 2)),
    )
    text = chunk(b"tEXt", b"Title\0caf\xe9") + chunk(b"iTXt", "Name\0\0\0es\0Nombre\0cóndor".encode())
    text += chunk(b"zTXt", b"Packed\0\0" + zlib.compress(b"not read"))
    (OUT / "text.png").write_bytes(png(grey, 2, 0, extra=text))


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    make_npy()
    make_safetensors()
    make_idx()
    make_png()
