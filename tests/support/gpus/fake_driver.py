"""Libraries under the names of the NVIDIA driver's and CUDA's that answer what a test wants, and do nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mobilenet_tvm.base.compilers.zig import run_zig

_DRIVER = """
int cuInit(unsigned flags) {{ return {started}; }}
int cuDriverGetVersion(int *version) {{ *version = {cuda}; return 0; }}
int cuDeviceGet(int *device, int number) {{ *device = number; return 0; }}
int cuDeviceGetName(char *name, int length, int device) {{ name[0] = 'X'; name[1] = 0; return 0; }}
"""
_CUDART = """
int cudaGetDeviceCount(int *count) {{ *count = {devices}; return {counted}; }}
int cudaDeviceGetAttribute(int *value, int which, int device) {{
  *value = which == 75 ? {capability} / 10 : {capability} % 10;
  return 0;
}}
"""


@dataclass(frozen=True)
class FakeDriver:
    """What the libraries answer; ``has_cudart``: whether the second one is a library at all."""

    started: int = 0
    cuda: int = 13000
    has_cudart: bool = True
    devices: int = 1
    counted: int = 0
    capability: int = 80

    def write(self, folder: Path) -> Path:
        """Makes the libraries and returns their folder."""
        values = {name: int(getattr(self, name)) for name in ("started", "cuda", "devices", "counted", "capability")}
        self._library(folder, "libcuda.so.1", _DRIVER.format(**values))
        if self.has_cudart:
            self._library(folder, "libcudart.so.13", _CUDART.format(**values))
        else:
            (folder / "libcudart.so.13").write_text("It hides the system's own, if there is one.")
        return folder

    def _library(self, folder: Path, name: str, text: str) -> None:
        source, objects = folder / f"{name}.c", folder / f"{name}.o"
        source.write_text(text)
        run_zig("cc", "-target", "x86_64-linux-gnu", "-O1", "-fPIC", "-c", str(source), "-o", str(objects))
        run_zig("ld.lld", "-shared", "-soname", name, "-o", str(folder / name), str(objects))
