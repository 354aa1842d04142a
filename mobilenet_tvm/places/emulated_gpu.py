"""The emulated GPU: a package's own program and module, its CUDA source on the CPU in place of its device code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from emulated_gpu.counters import COUNTERS_VARIABLE
from emulated_gpu.device_file import FILE_VARIABLE, device_file
from mobilenet_tvm.base.compiled import DeviceCode
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warning
from mobilenet_tvm.base.host_cpu import host_arch, missing_features
from mobilenet_tvm.package.manifest import CompiledTarget
from mobilenet_tvm.package.open import Package
from mobilenet_tvm.places.gpu_environment import gpu_environment
from mobilenet_tvm.places.host import Local

EMULATED_VARIABLE = "MOBILENET_TVM_EMULATED_GPU"  # mobilenet-run's: times are not told
NOTICE = "source emulated, device code not executed"


@dataclass(frozen=True)
class EmulatedGpu(Local):
    """The CPU in place of the package's GPU.

    :ivar description: the file that tells the emulated driver what it is, and what stands for which device code.
    :ivar counters: a file to which each launch appends a line (``emulated_gpu.counters``), if any.
    """

    description: Path
    counters: Path | None = None
    where: ClassVar[Literal["emulated"]] = "emulated"

    @classmethod
    def of(cls, package: Package, *, emulate: bool, device: str | None, on_event: OnEvent) -> EmulatedGpu | None:
        """:raises UserError: its source is not what its device code was compiled from, or its host code is not for this
            CPU.
        :raises SystemFailure: the source uses what the emulated GPU does not know, which the message names.
        """
        if not emulate or package.manifest.device_code is None:
            return None
        _require_this_cpu(package)
        package.check_program()
        described = _described(package, package.manifest.device_code)
        warning(on_event, NOTICE)
        return cls(package, described)

    @property
    def environment(self) -> dict[str, str]:
        from emulated_gpu.build import library_folder

        own = {
            "LD_LIBRARY_PATH": str(library_folder()),
            EMULATED_VARIABLE: "1",
            FILE_VARIABLE: str(self.description),
            **({COUNTERS_VARIABLE: str(self.counters)} if self.counters is not None else {}),
        }
        return gpu_environment(own)

    def counting(self, counters: Path) -> EmulatedGpu:
        """The same, and each launch is counted in that file."""
        return replace(self, counters=counters)


PLACE = EmulatedGpu


def _require_this_cpu(package: Package) -> None:
    target = package.manifest.target
    missing = missing_features(target.arch, target.cpu_features)
    if missing:
        what = f"code for {target.arch}" if target.arch != host_arch() else f"needs {', '.join(missing)}"
        raise UserError(f"{package.shown} has host {what}, and the emulated GPU needs a CPU that runs it")


def _described(package: Package, code: DeviceCode) -> Path:
    """The file for the emulated driver, its kernels compiled."""
    from emulated_gpu.build import compile_kernels  # which no other place needs

    source = package.folder / code.source
    if package.manifest.files.get(code.source) != code.source_sha256:
        raise UserError(
            f"{package.shown}: {code.source} is not what its device code was compiled from; compile it again"
        )
    package.check_sums([code.source])
    capability = int(code.arch.removeprefix("sm_"))
    kernels = compile_kernels(source.read_text(encoding="utf-8"), capability)
    arguments = [
        (kernel.name, argument.name, argument.bytes)
        for kernel in code.kernels
        for argument in kernel.get("arguments", ())
    ]
    return device_file(_figures(package.manifest.target, capability), {code.fatbin_sha256: kernels}, arguments)


def _figures(target: CompiledTarget, capability: int) -> dict[str, int | str]:
    """The device's figures: those of the package's target."""
    from targets import available  # which no other place needs

    preset = available().get(target.name)
    gpu = target.gpu or (preset.gpu if preset is not None else None) or {}
    figures = {key: int(value) for key, value in gpu.items()}
    return {"name": f"{target.name} (emulated)", **figures, "compute_capability": capability}
