"""Where a package's time goes, layer by layer, beside what the CPU could do at most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only, warning
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places.conditions import busy_warning, versions
from mobilenet_tvm.places.place import place_of
from mobilenet_tvm.places.runner import run_package
from mobilenet_tvm.verbs.profile_gpu import gpu_profile

REPEAT = 50
FLOAT_BYTES = 4


def profile(
    package: str | Path,
    *,
    threads: int | None = None,
    repeat: int | None = None,
    emulate: bool = False,
    device: str | None = None,
    on_event: OnEvent = warn_only,
) -> dict[str, Any]:
    """Time every kernel of a package inside whole inferences, in its own runner.

    Of a GPU's package the figures that its compilation left in it are told, a static model's times among them, which
    are labelled so; measured ones beside them where a GPU runs it.

    :param threads: by default as many as the package was scheduled for.
    :param repeat: inferences, each once with and once without a clock around its kernels; medians are told. By default
        50, one in an emulator.
    :param emulate: let QEMU run it, as the CPU that it was compiled for: its times are the emulator's, not a board's.
    :param device: let a board run it, ``tracker://HOST:PORT/KEY``; mobilenet-run must serve it.
    :returns: ``schemas/profile.json``, of a GPU's package ``schemas/profile_gpu.json``; times in milliseconds, the peak
        that of one core times the threads.
    :raises UserError: the package is damaged or not for this CPU, there is no emulator or no such board, or an argument
        is no positive number.
    """
    if (repeat is not None and repeat < 1) or (threads is not None and threads < 1):
        raise UserError("--repeat and --threads take positive numbers")
    with open_package(package) as opened:
        if opened.manifest.device_code is not None:
            return gpu_profile(opened, repeat, emulate=emulate, device=device, on_event=on_event)
        place = place_of(opened, emulate=emulate, device=device, on_event=on_event)
        found = place.conditions()
        if repeat is None:
            repeat = 1 if place.where == "emulated" else REPEAT
        if place.where == "host" and (text := busy_warning(found)):
            warning(on_event, text)
        manifest = opened.manifest
        count = threads or manifest.threads
        measured = run_package(place, ["--profile", "--repeat", str(repeat), "--threads", str(count)])["profile"]
    peak = measured["peak_gmacs"] * count
    layers = _layers(manifest, measured["calls"])
    mult_adds = sum(layer["mult_adds"] for layer in layers)
    return {
        "package": str(package),
        "model": manifest.model["name"],
        "dtype": manifest.dtype,
        "target": manifest.target["name"],
        "threads": count,
        "where": place.where,
        "device": place.device,
        "conditions": {**found, "versions": {**versions(), **manifest.versions}},
        "total_ms": measured["median_ms"],
        "runs": measured["runs"],
        "mult_adds": mult_adds,
        "peak_gmacs": peak,
        "peak_share": _share(mult_adds, measured["median_ms"], peak),
        "layers": [{**layer, "peak_share": _share(layer["mult_adds"], layer["ms"], peak)} for layer in layers],
        "other_ms": measured["median_ms"] - sum(layer["ms"] for layer in layers),
    }


def _layers(manifest: Manifest, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls that are kernels, in the order of execution; the rest is the VM's own work."""
    kernels = {kernel["name"]: kernel for kernel in manifest.kernels}
    return [_layer(kernels[call["name"]], call["median_ms"]) for call in calls if call["name"] in kernels]


def _layer(kernel: dict[str, Any], milliseconds: float) -> dict[str, Any]:
    layer = Layer.parse(kernel["layer"]) if kernel["layer"] is not None else None
    mult_adds = layer.mult_adds if layer is not None else 0
    return {
        "name": kernel["layer"] or kernel["name"],
        "kind": layer.kind if layer is not None else "other",
        "ms": milliseconds,
        "mult_adds": mult_adds,
        "gmacs_per_s": _rate(mult_adds, milliseconds),
        "bytes": _bytes(layer) if layer is not None else None,
        "record": kernel["record"],
    }


def _bytes(layer: Layer) -> int:
    """What the kernel has to read and write at least once: input, weights, what is added, output."""
    if layer.kind == "separable":
        first, last = layer.depthwise_part, layer.pointwise_part
        between = last.batch * last.height * last.width * last.in_channels
        return _bytes(first) + _bytes(last) - 2 * FLOAT_BYTES * between
    data = layer.batch * layer.height * layer.width * layer.in_channels
    output = layer.batch * layer.out_height * layer.out_width * layer.out_channels
    weights = 0
    if "pool" not in layer.kind:
        inputs = 1 if layer.kind == "depthwise" else layer.in_channels
        weights = layer.out_channels * inputs * layer.kernel[0] * layer.kernel[1]
    added = layer.out_channels * ("bias" in layer.epilogue) + output * ("add" in layer.epilogue)
    return FLOAT_BYTES * (data + weights + added + output)


def _rate(mult_adds: int, milliseconds: float) -> float:
    return mult_adds / milliseconds * 1e-6 if milliseconds > 0 else 0.0


def _share(mult_adds: int, milliseconds: float, peak: float) -> float:
    return _rate(mult_adds, milliseconds) / peak
