"""What a GPU's package says of its kernels, and where a GPU is at hand, how long they take there."""

from __future__ import annotations

import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.package.open import REFERENCE, Package
from mobilenet_tvm.places.board import conditions_of
from mobilenet_tvm.places.conditions import versions
from mobilenet_tvm.places.emulated_gpu import counted, read_counters
from mobilenet_tvm.places.runner import run_package
from targets.gpu_at_hand import has_gpu

EMULATED, MODELLED = "emulated", "modelled"
"""Where the figures of a profile are from if nothing ran the package."""
REPEAT = 50
_PER_CALL = ("estimated_us", "global_bytes", "unique_bytes", "flops", "tensor_flops")


def gpu_profile(shown: str | Path, place: Package, repeat: int | None) -> dict[str, Any]:
    """Per kernel the figures that the package carries, its time where a GPU runs it, what the emulated GPU counts.

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
    times = _times(measured["calls"]) if measured is not None else {}
    emulated = _emulated(place) if place.where == EMULATED else {}
    kernels = [_kernel(kernel, manifest, times, emulated) for kernel in code["kernels"]]
    return {
        "package": str(shown),
        "model": manifest.model["name"],
        "dtype": manifest.dtype,
        "target": manifest.target["name"],
        "where": MODELLED if measured is None and place.where != EMULATED else place.where,
        "device": place.device,
        "conditions": {**conditions_of(place), "versions": {**versions(), **manifest.versions}},
        "card": code["model"]["card"],
        "gpu_model_version": code["model"]["version"],
        "launch_us": code["model"]["launch_us"],
        "launches": sum(kernel["calls"] for kernel in kernels),
        **{key: sum(kernel["calls"] * kernel[key] for kernel in kernels) for key in _PER_CALL},
        "total_ms": measured["median_ms"] if measured is not None else None,
        "runs": measured["runs"] if measured is not None else None,
        "kernels": kernels,
    }


def _measure(place: Package, repeat: int | None) -> dict[str, Any] | None:
    """The runner's profile; None where nothing here can run the package, or an emulator would."""
    if place.where == EMULATED or (place.where == "host" and not has_gpu()):
        return None
    found: dict[str, Any] = run_package(place, ["--profile", "--repeat", str(repeat or REPEAT)])["profile"]
    return found


def _emulated(place: Package) -> dict[str, dict[str, float]]:
    """What the emulated GPU counts in one inference: per device function its launches, and means over them."""
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as temporary:
        counters, tensor = Path(temporary) / "counters.jsonl", Path(temporary) / "input.npy"
        tensor.write_bytes(_first_input(place))
        run_package(counted(place, counters), [str(tensor)])
        launches: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for launch in read_counters(counters):
            launches[launch["kernel"]].append(launch)
    return {
        name: {
            "launches": len(found),
            "global_bytes": _mean(found, "bytes_loaded", "bytes_stored"),
            "unique_bytes": _mean(found, "unique_bytes_read", "unique_bytes_written"),
            "sector_bytes": _mean(found, "sector_bytes_loaded", "sector_bytes_stored"),
        }
        for name, found in launches.items()
    }


def _first_input(place: Package) -> bytes:
    """The first input of the package's reference, as a .npy file's content: an .npz file is a zip of those."""
    with zipfile.ZipFile(place.folder / REFERENCE) as arrays:
        return arrays.read("x0.npy")


def _mean(launches: Sequence[Mapping[str, Any]], *keys: str) -> float:
    return float(sum(launch[key] for launch in launches for key in keys)) / len(launches)


def _times(calls: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Microseconds of one call of each function, the mean where the network calls it more than once."""
    found: dict[str, list[float]] = defaultdict(list)
    for call in calls:
        found[call["name"]].append(1e3 * call["median_ms"])
    return {name: sum(times) / len(times) for name, times in found.items()}


def _kernel(
    kernel: Mapping[str, Any], manifest: Manifest, times: Mapping[str, float], emulated: Mapping[str, Any]
) -> dict[str, Any]:
    function = next((one for one in manifest.kernels if one["name"] == kernel["function"]), None)
    layer = function["layer"] if function is not None else None
    return {
        **kernel,
        "layer": layer,
        "mult_adds": Layer.parse(layer).mult_adds if layer is not None else 0,
        "record": function["record"] if function is not None else "default",
        "measured_us": times.get(kernel["function"]),
        "emulated": emulated.get(kernel["name"]),
    }
