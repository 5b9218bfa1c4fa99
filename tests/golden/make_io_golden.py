#!/usr/bin/env python3
"""Makes tests/golden/io: small files written by other software, which tinta's readers must read.

Needs numpy, torch, safetensors and Pillow; the PNGs are put together from the specification with zlib
alone. The files in the repository were made with Python 3.11.7, numpy 2.4.6, torch 2.13.0,
safetensors 0.8.0 and Pillow 13.0.0.
Run: python3 tests/golden/make_io_golden.py [PART...], PART of npy, safetensors, idx, png, pictures,
cifar
"""

import gzip
import io
import pathlib
import struct
import sys
import zlib

import numpy as np

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
    import torch
    from safetensors.torch import save_file

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


def scene(height=19, width=23):
    """A smooth picture, another at every corner: [H, W, 3] uint8."""
    y, x = np.mgrid[0:height, 0:width] / [[[height - 1]], [[width - 1]]]
    return np.rint(np.stack([255 * x, 255 * y, 127 + 100 * np.sin(5 * x * y)], axis=-1)).astype(np.uint8)


def make_pictures():
    """JPEG and WebP by Pillow, each beside the pixels that Pillow reads from it."""
    from PIL import Image, ImageOps

    rgb = Image.fromarray(scene())
    rgba = np.concatenate([scene(), scene()[::-1, :, :1]], axis=-1)

    def write(name, image, **options):
        file = io.BytesIO()
        image.save(file, name.split(".")[1], **options)
        (OUT / name).write_bytes(file.getvalue())
        read = Image.open(io.BytesIO(file.getvalue()))
        upright = ImageOps.exif_transpose(read)
        pixels = np.asarray(upright).astype(np.float64)
        if pixels.ndim == 2:
            pixels = pixels[..., None]
        if read.mode == "CMYK":  # Pillow undoes the inversion: 255 is full ink
            pixels = (255 - pixels[..., :3]) * (255 - pixels[..., 3:]) / 255
        if read.mode == "RGBA":
            pixels = on_white(pixels[..., :3], pixels[..., 3:])
        expected = np.ascontiguousarray(np.rint(pixels).transpose(2, 0, 1)).astype(np.uint8)
        np.save(OUT / f"{name}.npy", expected)

    write("rgb.jpeg", rgb, quality=90)
    write("full.jpeg", rgb, quality=90, subsampling=0)
    write("progressive.jpeg", rgb, quality=80, progressive=True)
    write("grey.jpeg", rgb.convert("L"), quality=90)
    write("cmyk.jpeg", rgb.convert("CMYK"), quality=90)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        write(f"turned{orientation}.jpeg", rgb, quality=90, subsampling=0, exif=exif)
    write("lossy.webp", rgb, quality=80)
    write("lossless.webp", rgb, lossless=True)
    write("alpha.webp", Image.fromarray(rgba), lossless=True, exact=True)
    write("lossy-alpha.webp", Image.fromarray(rgba), quality=80)
    rgb.save(OUT / "animation.webp", save_all=True, append_images=[rgb.rotate(180)], lossless=True)
    rgb.save(OUT / "other.gif")
    rgb.save(OUT / "other.bmp")
    rgb.save(OUT / "other.tiff")


class Python2Pickler:
    """Writes what Python 2's cPickle.dump(value, file, 2) wrote; no Python 2 is at hand to do it."""

    def __init__(self):
        self.out = [b"\x80\x02"]
        self.kept = 0
        self.places = {}

    def keep(self, key=None):
        self.kept += 1
        self.places[key] = self.kept
        self.out.append(b"q" + bytes([self.kept]) if self.kept < 256
                        else b"r" + struct.pack("<I", self.kept))

    def known(self, key):
        if key not in self.places:
            return False
        place = self.places[key]
        self.out.append(b"h" + bytes([place]) if place < 256 else b"j" + struct.pack("<I", place))
        return True

    def text(self, value):
        if self.known(value):
            return
        self.out.append(b"U" + bytes([len(value)]) + value if len(value) < 256
                        else b"T" + struct.pack("<I", len(value)) + value)
        self.keep(value)

    def integer(self, value):
        self.out.append(b"K" + bytes([value]) if 0 <= value < 256
                        else b"M" + struct.pack("<H", value) if 0 <= value < 65536
                        else b"J" + struct.pack("<i", value))

    def name(self, module, name):
        if not self.known((module, name)):
            self.out.append(f"c{module}\n{name}\n".encode())
            self.keep((module, name))

    def array(self, value, order):
        self.name("numpy.core.multiarray", "_reconstruct")
        self.name("numpy", "ndarray")
        self.out.append(b"K\0\x85")
        self.keep()
        self.text(b"b")
        self.out.append(b"\x87")
        self.keep()
        self.out.append(b"R")
        self.keep()
        self.out.append(b"(K\x01")
        for size in value.shape:
            self.integer(size)
        self.out.append(b"\x86")
        self.keep()
        self.name("numpy", "dtype")
        self.text(b"u1")
        self.out.append(b"K\0K\x01\x87")
        self.keep()
        self.out.append(b"R")
        self.keep()
        self.out.append(b"(K\x03")
        self.text(b"|")
        self.out.append(b"NNN" + 2 * b"J\xff\xff\xff\xff" + b"K\0t")
        self.keep()
        self.out.append(b"b" + (b"\x88" if order == "F" else b"\x89"))
        self.text(value.tobytes(order))
        self.out.append(b"t")
        self.keep()
        self.out.append(b"b")

    def value(self, value, order="C"):
        if isinstance(value, dict):
            self.out.append(b"}")
            self.keep()
            self.out.append(b"(")
            for key, item in value.items():
                self.text(key)
                self.value(item, order)
            self.out.append(b"u")
        elif isinstance(value, list):
            self.out.append(b"]")
            self.keep()
            self.out.append(b"(")
            for item in value:
                self.value(item, order)
            self.out.append(b"e")
        elif isinstance(value, bytes):
            self.text(value)
        elif isinstance(value, int):
            self.integer(value)
        else:
            self.array(value, order)


def python2_pickle(value, order="C"):
    """The bytes, which Python's own unpickler reads as the value again."""
    import pickle

    pickler = Python2Pickler()
    pickler.value(value, order)
    data = b"".join([*pickler.out, b"."])
    read = pickle.loads(data, encoding="bytes")
    assert read.keys() == value.keys()
    for key, item in value.items():
        assert np.array_equal(read[key], item), key
    return data


def make_cifar():
    import tarfile

    # Picture i, byte p: (7 i + p) mod 251; the C++ tests know this.
    data = np.array([[(7 * i + p) % 251 for p in range(3072)] for i in range(3)], dtype=np.uint8)
    ten, fine, coarse = [3, 0, 9], [99, 0, 42], [19, 1, 2]
    names = [f"name{i}".encode() for i in range(10)]
    files = [f"picture_{i}.png".encode() for i in range(3)]
    members = {
        "cifar10-batch.pickle": python2_pickle({
            b"batch_label": b"training batch 1 of 5", b"labels": ten, b"data": data,
            b"filenames": files}),
        "cifar10-fortran.pickle": python2_pickle({b"data": data, b"labels": ten}, "F"),
        "cifar100-train.pickle": python2_pickle({
            b"filenames": files, b"batch_label": b"training batch 1 of 1", b"fine_labels": fine,
            b"coarse_labels": coarse, b"data": data}),
        "cifar10-meta.pickle": python2_pickle({
            b"num_cases_per_batch": 10000, b"label_names": names, b"num_vis": 3072}),
        "cifar10.bin": b"".join(bytes([ten[i]]) + data[i].tobytes() for i in range(3)),
        "cifar100.bin": b"".join(bytes([coarse[i], fine[i]]) + data[i].tobytes() for i in range(3)),
    }
    for name, content in members.items():
        (OUT / name).write_bytes(content)
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in (("cifar-10-batches-bin/test_batch.bin", members["cifar10.bin"]),
                              ("cifar-10-batches-bin/readme.html", b"<html></html>")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    (OUT / "cifar.tar.gz").write_bytes(gzip.compress(unpacked.getvalue(), mtime=0))


PARTS = {
    "npy": make_npy,
    "safetensors": make_safetensors,
    "idx": make_idx,
    "png": make_png,
    "pictures": make_pictures,
    "cifar": make_cifar,
}

if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
