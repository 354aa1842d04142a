"""What a GPU's package says of its kernels, and where a GPU is at hand, how long they take there."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emulated_gpu.counters import read_counters
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.package.open import Package
from mobilenet_tvm.package.reference import first_input
from mobilenet_tvm.places.conditions import conditions, versions
from mobilenet_tvm.places.emulated_gpu import EmulatedGpu
from mobilenet_tvm.places.place import Place, place_of
from mobilenet_tvm.places.runner import run_package
from targets.gpu_at_hand import has_gpu

EMULATED, MODELLED = "emulated", "modelled"
"""Where the figures of a profile are from if nothing ran the package."""
REPEAT = 50
_PER_CALL = ("estimated_us", "global_bytes", "unique_bytes", "flops", "tensor_flops")


def gpu_profile(
    package: Package, repeat: int | None, *, emulate: bool, device: str | None, on_event: OnEvent
) -> dict[str, Any]:
    """Per kernel the figures that the package carries, its time where a GPU runs it, what the emulated GPU counts.

    An emulator's times are not told.

    :returns: ``schemas/profile_gpu.json``.
    :raises UserError: the package carries no such figures, or what runs it is not fit for it.
    """
    manifest = package.manifest
    code = manifest.device_code
    assert code is not None
    if "model" not in code or any("estimated_us" not in kernel for kernel in code["kernels"]):
        raise UserError(f"{package.shown} does not say what its kernels do: compile it again with this version")
    place = None
    if emulate or device is not None or has_gpu():
        place = place_of(package, emulate=emulate, device=device, on_event=on_event)
    measured = _measure(place, repeat) if place is not None and place.where != EMULATED else None
    times = _times(measured["calls"]) if measured is not None else {}
    counted = _counted(place) if isinstance(place, EmulatedGpu) else {}
    kernels = [_kernel(kernel, manifest, times, counted) for kernel in code["kernels"]]
    found = place.conditions() if place is not None else conditions()
    return {
        "package": package.shown,
        "model": manifest.model["name"],
        "dtype": manifest.dtype,
        "target": manifest.target["name"],
        "where": place.where if place is not None else MODELLED,
        "device": place.device if place is not None else None,
        "conditions": {**found, "versions": {**versions(), **manifest.versions}},
        "card": code["model"]["card"],
        "gpu_model_version": code["model"]["version"],
        "launch_us": code["model"]["launch_us"],
        "launches": sum(kernel["calls"] for kernel in kernels),
        **{key: sum(kernel["calls"] * kernel[key] for kernel in kernels) for key in _PER_CALL},
        "total_ms": measured["median_ms"] if measured is not None else None,
        "runs": measured["runs"] if measured is not None else None,
        "kernels": kernels,
    }


def _measure(place: Place, repeat: int | None) -> dict[str, Any]:
    """The runner's profile."""
    measured: dict[str, Any] = run_package(place, ["--profile", "--repeat", str(repeat or REPEAT)])["profile"]
    return measured


def _counted(place: EmulatedGpu) -> dict[str, dict[str, float]]:
    """What the emulated GPU counts in one inference: per device function its launches, and means over them."""
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as temporary:
        counters, tensor = Path(temporary) / "counters.jsonl", Path(temporary) / "input.npy"
        tensor.write_bytes(first_input(place.package))
        run_package(place.counting(counters), [str(tensor)])
        launches: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for launch in read_counters(counters):
            launches[launch["kernel"]].append(launch)
    return {
        name: {
            "launches": len(of_kernel),
            "global_bytes": _mean(of_kernel, "bytes_loaded", "bytes_stored"),
            "unique_bytes": _mean(of_kernel, "unique_bytes_read", "unique_bytes_written"),
            "sector_bytes": _mean(of_kernel, "sector_bytes_loaded", "sector_bytes_stored"),
        }
        for name, of_kernel in launches.items()
    }


def _mean(launches: Sequence[Mapping[str, Any]], *keys: str) -> float:
    return float(sum(launch[key] for launch in launches for key in keys)) / len(launches)


def _times(calls: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Microseconds of one call of each function, the mean where the network calls it more than once."""
    times: dict[str, list[float]] = defaultdict(list)
    for call in calls:
        times[call["name"]].append(1e3 * call["median_ms"])
    return {name: sum(of_function) / len(of_function) for name, of_function in times.items()}


def _kernel(
    kernel: Mapping[str, Any], manifest: Manifest, times: Mapping[str, float], counted: Mapping[str, Any]
) -> dict[str, Any]:
    function = next((known for known in manifest.kernels if known["name"] == kernel["function"]), None)
    layer = function["layer"] if function is not None else None
    return {
        **kernel,
        "layer": layer,
        "mult_adds": Layer.parse(layer).mult_adds if layer is not None else 0,
        "record": function["record"] if function is not None else "default",
        "measured_us": times.get(kernel["function"]),
        "emulated": counted.get(kernel["name"]),
    }
