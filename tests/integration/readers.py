"""Readers of what tinta writes, on nothing of tinta's: run folders, checkpoints, PNG, safetensors."""

import hashlib
import json
import struct
import zlib
from pathlib import Path

import numpy

WALL_CLOCK = ("images_per_second", "seconds", "time")
# Files that tell when and by whom, not what; clock.json is what a checkpoint keeps of the time.
# TensorBoard's events bear their time too: watch_test.py compares what they say.
OF_THE_MOMENT = (".lock", "log.jsonl", "clock.json")


def whole_lines(path: Path) -> list[dict]:
    """The whole lines of a file of JSON lines, none where there is no such file yet."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def metrics(run: Path) -> list[dict]:
    return whole_lines(run / "metrics.jsonl")


def last_step(run: Path) -> int:
    """The last step that is logged; 0 where none is."""
    lines = metrics(run)
    return lines[-1]["step"] if lines else 0


def checkpoints(run: Path) -> list[str]:
    """Names of the checkpoint folders, oldest first."""
    return sorted(path.name for path in (run / "checkpoints").glob("step-*"))


def checkpoint_faults(folder: Path) -> list[str]:
    """What is wrong with a checkpoint by its own manifest."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    faults = []
    if manifest["step"] != int(folder.name.removeprefix("step-")):
        faults.append(f"{folder.name} is of step {manifest['step']}")
    present = {path.name for path in folder.iterdir()}
    if present != {*manifest["files"], "manifest.json"}:
        faults.append(f"{folder.name} holds {sorted(present)}")
    for name, entry in manifest["files"].items():
        content = (folder / name).read_bytes()
        if (len(content), hashlib.sha256(content).hexdigest()) != (entry["bytes"], entry["sha256"]):
            faults.append(f"{folder.name}/{name} is not what the manifest says")
    return faults


def content(run: Path) -> dict[str, object]:
    """Path -> content, for everything of a run folder that two equal runs must share."""
    found: dict[str, object] = {}
    for path in sorted(run.rglob("*")):
        if not path.is_file() or path.name in OF_THE_MOMENT or path.parent.name == "tb":
            continue
        name = path.relative_to(run).as_posix()
        if path.name == "metrics.jsonl":
            found[name] = [{key: value for key, value in line.items() if key not in WALL_CLOCK}
                           for line in metrics(run)]
        elif path.name == "manifest.json":
            manifest = json.loads(path.read_text(encoding="utf-8"))
            del manifest["files"]["clock.json"]["sha256"]
            del manifest["files"]["clock.json"]["bytes"]
            found[name] = manifest
        else:
            found[name] = path.read_bytes()
    return found


def differences(left: dict[str, object], right: dict[str, object]) -> list[str]:
    """Names of content() that are not the same on both sides."""
    return sorted(name for name in left.keys() | right.keys()
                  if name not in left or name not in right or left[name] != right[name])


def tensors(path: Path) -> dict[str, numpy.ndarray]:
    """A safetensors file of float32."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", entry
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        found[name] = numpy.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return found


def arrays(path: Path) -> dict[str, numpy.ndarray]:
    """Every array of an npz file; numpy checks the sums of its members."""
    with numpy.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Type and data of each chunk; signature, sums and the end are checked."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:8]
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        assert zlib.crc32(kind + body) == checksum, kind
        chunks.append((kind, body))
        at += 12 + length
    assert chunks[-1] == (b"IEND", b""), chunks[-1]
    return chunks


def paeth(left: int, above: int, corner: int) -> int:
    """PNG specification, 9.4: the neighbour that left + above - corner is nearest to."""
    guess = left + above - corner
    return min((left, above, corner), key=lambda neighbour: abs(guess - neighbour))


def unfiltered(rows: bytes, height: int, stride: int, depth: int) -> numpy.ndarray:
    """Undoes the filters of a PNG's rows. depth: bytes of a pixel. Returns [height, stride]."""
    out = numpy.zeros((height + 1, stride + depth), numpy.int64)  # a margin of zeros above and left
    for y in range(height):
        kind, *row = rows[y * (stride + 1):(y + 1) * (stride + 1)]
        for x, value in enumerate(row):
            left, above, corner = (int(out[y + 1, x]), int(out[y, x + depth]), int(out[y, x]))
            guess = (0, left, above, (left + above) // 2, paeth(left, above, corner))[kind]
            out[y + 1, x + depth] = (value + guess) % 256
    return out[1:, depth:].astype(numpy.uint8)


def png(path: Path) -> tuple[numpy.ndarray, dict[str, str]]:
    """Pixels [H,W] or [H,W,3] of an 8-bit PNG, and its text."""
    chunks = png_chunks(path.read_bytes())
    assert chunks[0][0] == b"IHDR", chunks[0]
    width, height, bits, colour, *methods = struct.unpack(">IIBBBBB", chunks[0][1])
    assert bits == 8 and colour in (0, 2) and methods == [0, 0, 0], chunks[0]
    channels = 1 if colour == 0 else 3
    rows = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    assert len(rows) == height * (width * channels + 1)
    pixels = unfiltered(rows, height, width * channels, channels)
    text = dict(body.decode("latin-1").split("\0", 1) for kind, body in chunks if kind == b"tEXt")
    return pixels.reshape((height, width) if channels == 1 else (height, width, 3)), text


def grid(images: numpy.ndarray, columns: int) -> numpy.ndarray:
    """Pictures [N,H,W] or [N,H,W,3] in rows, two grey pixels around each."""
    gap = 2
    count, height, width = images.shape[:3]
    rows = -(-count // columns)
    out = numpy.full((rows * (height + gap) + gap, columns * (width + gap) + gap, *images.shape[3:]),
                     128, numpy.uint8)
    for i, image in enumerate(images):
        top, left = (gap + at * (side + gap) for at, side in zip(divmod(i, columns), (height, width)))
        out[top:top + height, left:left + width] = image
    return out
