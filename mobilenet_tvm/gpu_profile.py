"""What a GPU's package says of its kernels, and where a GPU is at hand, how long they take there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mobilenet_tvm.board import conditions_of
from mobilenet_tvm.conditions import versions
from mobilenet_tvm.errors import UserError
from mobilenet_tvm.manifest import Manifest
from mobilenet_tvm.package import Package
from mobilenet_tvm.runner_process import run_package
from targets.gpu_at_hand import has_gpu
from tvm_pipeline.layer import Layer

MODELLED = "modelled"
"""Where the figures of a profile are from if nothing ran the package."""
REPEAT = 50
_PER_CALL = ("estimated_us", "global_bytes", "unique_bytes", "flops", "tensor_flops")


def gpu_profile(shown: str | Path, place: Package, repeat: int | None) -> dict[str, Any]:
    """Per kernel the figures that the package carries, and its time where a GPU or a board runs it.

    :param place: the package, set to run somewhere; an emulator's times are not told.
    :returns: ``schemas/profile_gpu.json``.
    :raises UserError: the package carries no such figures, or what runs it is not fit for it.
    """
    manifest = place.manifest
    code = manifest.device_code
    assert code is not None
    if "model" not in code or any("estimated_us" not in kernel for kernel in code["kernels"]):
        raise UserError(f"{shown} does not say what its kernels do: compile it again with this version")
    measured = _measure(place, repeat)
    times = _times(measured["calls"]) if measured is not None and place.where != "emulated" else {}
    kernels = [_kernel(kernel, manifest, times) for kernel in code["kernels"]]
    return {
        "package": str(shown),
        "model": manifest.model["name"],
        "dtype": manifest.dtype,
        "target": manifest.target["name"],
        "where": place.where if measured is not None else MODELLED,
        "device": place.device,
        "conditions": {**conditions_of(place), "versions": {**versions(), **manifest.versions}},
        "card": code["model"]["card"],
        "gpu_model_version": code["model"]["version"],
        "launch_us": code["model"]["launch_us"],
        "launches": sum(kernel["calls"] for kernel in kernels),
        **{key: sum(kernel["calls"] * kernel[key] for kernel in kernels) for key in _PER_CALL},
        "total_ms": measured["median_ms"] if times and measured is not None else None,
        "runs": measured["runs"] if times and measured is not None else None,
        "kernels": kernels,
    }


def _measure(place: Package, repeat: int | None) -> dict[str, Any] | None:
    """The runner's profile; None where nothing here can run the package."""
    if place.where == "host" and not has_gpu():
        return None
    times = repeat or (1 if place.where == "emulated" else REPEAT)
    found: dict[str, Any] = run_package(place, ["--profile", "--repeat", str(times)])["profile"]
    return found


def _times(calls: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Microseconds of one call of each function, the mean where the network calls it more than once."""
    found: dict[str, list[float]] = defaultdict(list)
    for call in calls:
        found[call["name"]].append(1e3 * call["median_ms"])
    return {name: sum(times) / len(times) for name, times in found.items()}


def _kernel(kernel: Mapping[str, Any], manifest: Manifest, times: Mapping[str, float]) -> dict[str, Any]:
    function = next((one for one in manifest.kernels if one["name"] == kernel["function"]), None)
    layer = function["layer"] if function is not None else None
    return {
        **kernel,
        "layer": layer,
        "mult_adds": Layer.parse(layer).mult_adds if layer is not None else 0,
        "record": function["record"] if function is not None else "default",
        "measured_us": times.get(kernel["function"]),
    }
