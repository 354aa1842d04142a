"""Packages for NVIDIA GPUs, run here without one: their own program and module, the CUDA source on the CPU."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from emulated_gpu.build import compile_kernels, library_folder, write_device_file
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warning
from mobilenet_tvm.base.host_cpu import host_arch, missing_features
from mobilenet_tvm.base.paths import cache_dir, sha256_file
from mobilenet_tvm.package.open import Package
from targets import available

EMULATED_VARIABLE = "MOBILENET_TVM_EMULATED_GPU"  # mobilenet-run's: times are not told
FILE_VARIABLE = "MOBILENET_TVM_EMULATED_GPU_FILE"
COUNTERS_VARIABLE = "MOBILENET_TVM_EMULATED_GPU_COUNTERS"
NOTICE = "source emulated, device code not executed"


def on_emulated_gpu(package: Package, on_event: OnEvent) -> Package:
    """The same package, whose programs find an emulated GPU that runs its CUDA source.

    :raises UserError: its source is not what its device code was compiled from, or its host code is not for this CPU.
    :raises SystemFailure: the source uses what the emulated GPU does not know, which the message names.
    """
    code = package.manifest.device_code
    assert code is not None
    target = package.manifest.target
    missing = missing_features(target["arch"], target["cpu_features"])
    if missing:
        what = f"code for {target['arch']}" if target["arch"] != host_arch() else f"needs {', '.join(missing)}"
        raise UserError(f"{package.shown} has host {what}, and the emulated GPU needs a CPU that runs it")
    source = package.folder / code["source"]
    if not source.is_file() or sha256_file(source) != code["source_sha256"]:
        raise UserError(
            f"{package.shown}: {code['source']} is not what its device code was compiled from; compile it again"
        )
    capability = int(code["arch"].removeprefix("sm_"))
    kernels = compile_kernels(source.read_text(encoding="utf-8"), capability)
    arguments = [
        (kernel["name"], argument["name"], argument["bytes"])
        for kernel in code["kernels"]
        for argument in kernel.get("arguments", ())
    ]
    described = _describe(_figures(target, capability), {code["fatbin_sha256"]: kernels}, arguments)
    warning(on_event, NOTICE)
    environment = {
        "LD_LIBRARY_PATH": str(library_folder()),
        EMULATED_VARIABLE: "1",
        FILE_VARIABLE: str(described),
    }
    return replace(package, environment=environment)


def _figures(target: dict[str, Any], capability: int) -> dict[str, int | str]:
    """The device's figures: those of the package's target."""
    preset = available().get(target["name"])
    gpu = target.get("gpu") or (preset.gpu if preset is not None else None) or {}
    figures = {key: int(value) for key, value in gpu.items()}
    return {"name": f"{target['name']} (emulated)", **figures, "compute_capability": capability}


def _describe(device: dict[str, int | str], modules: dict[str, Path], arguments: list[tuple[str, str, int]]) -> Path:
    """The file that describes a device to the emulated driver, kept as long as the kernels that it names."""
    text = json.dumps([device, {digest: str(path) for digest, path in modules.items()}, arguments], sort_keys=True)
    path = cache_dir() / "emulated_gpu" / f"device-{hashlib.sha256(text.encode()).hexdigest()[:32]}.txt"
    if not path.is_file():
        write_device_file(path, device, modules, arguments)
    return path


def counted(package: Package, counters: Path) -> Package:
    """A package on the emulated GPU that appends a line of JSON per launch to a file (:func:`read_counters`)."""
    return replace(package, environment={**package.environment, COUNTERS_VARIABLE: str(counters)})


def read_counters(counters: Path) -> list[dict[str, Any]]:
    """What each launch did, in their order: ``kernel``, ``grid``, ``block``, ``shared_bytes``, and of global memory
    ``unique_bytes_read``, ``unique_bytes_written`` (each byte once), ``bytes_loaded``, ``bytes_stored`` (by threads),
    ``sector_bytes_loaded``, ``sector_bytes_stored`` (the 32-byte sectors of each warp's instructions), ``arguments``.
    """
    if not counters.is_file():
        return []
    return [json.loads(line) for line in counters.read_text().splitlines()]
