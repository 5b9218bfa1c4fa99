#!/usr/bin/env python3
"""Compiles a .cu file for GPUs by NVRTC, NVIDIA's compiler as a library: no toolkit, no GPU.

It sees what runs on the GPU; the launches themselves are nvcc's to check.

usage: nvrtc_check.py LIBNVRTC INCLUDE_FOLDER FILE.cu ARCHITECTURE...    (80, 90, ...)
"""

import ctypes
import sys
from pathlib import Path

# What our headers use of the C++ library and of CUDA's own, which NVRTC comes without.
HEADERS = {
    "cstddef": "namespace std { using size_t = unsigned long; }\n",
    "cstring": "",
    "cuda_runtime.h": "",
    "cstdint": """
typedef unsigned long uintptr_t;
namespace std {
using int32_t = int;
using int64_t = long;
using uint8_t = unsigned char;
using uint16_t = unsigned short;
using uint32_t = unsigned int;
using uint64_t = unsigned long;
using uintptr_t = unsigned long;
}
""",
}


class Nvrtc:
    """The few functions of libnvrtc that a check needs."""

    def __init__(self, path: str):
        self.library = ctypes.CDLL(path)
        self.library.nvrtcGetErrorString.restype = ctypes.c_char_p

    def version(self) -> str:
        major, minor = ctypes.c_int(), ctypes.c_int()
        self.library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
        return f"{major.value}.{minor.value}"

    def must(self, code: int, what: str) -> None:
        if code:
            raise SystemExit(f"{what}: {self.library.nvrtcGetErrorString(code).decode()}")

    def compile(self, source: Path, options: list[str]) -> tuple[bool, str, int]:
        """Whether it compiled, the compiler's log, the size of the machine code."""
        program = ctypes.c_void_p()
        names = (ctypes.c_char_p * len(HEADERS))(*[name.encode() for name in HEADERS])
        texts = (ctypes.c_char_p * len(HEADERS))(*[text.encode() for text in HEADERS.values()])
        self.must(self.library.nvrtcCreateProgram(
            ctypes.byref(program), source.read_bytes(), str(source).encode(), len(HEADERS), texts,
            names), str(source))
        words = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
        failed = self.library.nvrtcCompileProgram(program, len(options), words)
        size = ctypes.c_size_t()
        self.must(self.library.nvrtcGetProgramLogSize(program, ctypes.byref(size)), "log")
        log = ctypes.create_string_buffer(size.value)
        self.must(self.library.nvrtcGetProgramLog(program, log), "log")
        code = ctypes.c_size_t()
        if not failed:
            self.must(self.library.nvrtcGetCUBINSize(program, ctypes.byref(code)), "code")
        self.library.nvrtcDestroyProgram(ctypes.byref(program))
        return not failed, log.value.decode(errors="replace"), code.value


def main() -> int:
    if len(sys.argv) < 5:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    nvrtc = Nvrtc(sys.argv[1])
    source = Path(sys.argv[3])
    for architecture in sys.argv[4:]:
        compiled, log, size = nvrtc.compile(source, [
            f"--gpu-architecture=sm_{architecture}", "--std=c++20", "--fmad=false",
            "--device-as-default-execution-space", f"--include-path={sys.argv[2]}"])
        # A file without kernels compiles to next to nothing: that would be no check.
        if not compiled or log.strip("\0 \n") or size < 4096:
            print(f"{source}: NVRTC {nvrtc.version()}, sm_{architecture}: "
                  f"{size} bytes of code\n{log}", file=sys.stderr)
            return 1
        print(f"{source.name}: NVRTC {nvrtc.version()}, sm_{architecture}: {size} bytes of code")
    return 0


if __name__ == "__main__":
    sys.exit(main())
