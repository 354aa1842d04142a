"""Where a package's time goes, layer by layer, beside what the CPU could do at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mobilenet_tvm.base.compiled import Kernel, Record
from mobilenet_tvm.base.document import UNSET, Count, Document, Factor, UnsetType, Whole
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places.answers import Call, CallTimes, ProfileAnswer
from mobilenet_tvm.places.conditions import MeasuredUnder
from mobilenet_tvm.places.place import Ran, measured_under, place_of
from mobilenet_tvm.places.runner import run_package
from mobilenet_tvm.verbs.profile_gpu import GpuProfiled, gpu_profile

REPEAT = 50
FLOAT32 = "float32"
BYTES = {FLOAT32: 4, "bfloat16": 2, "float16": 2, "int8": 1}


class LayerTime(Document):
    """A kernel's time, and what it does in it.

    :ivar kind: of layer; ``other`` for what no workload defined.
    :ivar bytes: input, weights and output, each once.
    :ivar peak_share: of the peak of its dtype.
    :ivar generator: of its schedule; ``fallback/1`` where none knows the kernel.
    :ivar dtype: that it computes with.
    :ivar why: in a quantised network, of a kernel that computes in float32: why it does not in int8.
    """

    name: str
    kind: str
    ms: float
    mult_adds: Whole
    gmacs_per_s: float
    bytes: Whole | None
    record: Record
    peak_share: float
    generator: str | UnsetType = UNSET
    dtype: str | UnsetType = UNSET
    why: str | UnsetType = UNSET


class Profiled(Ran):
    """What ``profile`` returns of a CPU's package.

    :ivar total_ms: median of whole inferences that no clock disturbed.
    :ivar peak_gmacs: measured multiply-adds of float32 per second of one core, in 1e9, times threads.
    :ivar peaks: the same of every dtype that the CPU has instructions for.
    :ivar peak_share: the part of the time that the network's multiply-adds would take, each at the peak of its dtype.
    :ivar other_ms: the whole less its kernels.
    """

    threads: Count
    conditions: MeasuredUnder
    total_ms: Factor
    runs: Count
    mult_adds: Whole
    peak_gmacs: Factor
    peaks: dict[str, Factor]
    peak_share: float
    layers: tuple[LayerTime, ...]
    other_ms: float


def profile(
    package: str | Path,
    *,
    threads: int | None = None,
    repeat: int | None = None,
    emulate: bool = False,
    device: str | None = None,
    on_event: OnEvent = warn_only,
) -> Profiled | GpuProfiled:
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
        conditions = measured_under(place, on_event)
        if repeat is None:
            repeat = 1 if place.where == "emulated" else REPEAT
        manifest = opened.manifest
        count = threads or manifest.threads
        words = ["--profile", "--repeat", str(repeat), "--threads", str(count)]
        times = run_package(place, words, ProfileAnswer).profile
    peaks = {dtype: gmacs * count for dtype, gmacs in _peaks_of_a_core(times).items()}
    layers = _layers(manifest, times.calls, peaks)
    return Profiled(
        **Ran.at(place, package),
        threads=count,
        conditions=conditions,
        total_ms=times.median_ms,
        runs=times.runs,
        mult_adds=sum(layer.mult_adds for layer in layers),
        peak_gmacs=peaks[FLOAT32],
        peaks=peaks,
        peak_share=sum(layer.peak_share * layer.ms for layer in layers) / times.median_ms,
        layers=layers,
        other_ms=times.median_ms - sum(layer.ms for layer in layers),
    )


def _peaks_of_a_core(times: CallTimes) -> dict[str, float]:
    """By dtype, float32 always."""
    assert times.peak_gmacs is not UNSET  # of a CPU's package
    return {FLOAT32: times.peak_gmacs, **(times.peaks or {})}


def _layers(manifest: Manifest, calls: Sequence[Call], peaks: Mapping[str, float]) -> tuple[LayerTime, ...]:
    """The calls that are kernels, in the order of execution; the rest is the VM's own work."""
    kernels = {kernel.name: kernel for kernel in manifest.kernels}
    return tuple(_layer(kernels[call.name], call.median_ms, peaks) for call in calls if call.name in kernels)


def _layer(kernel: Kernel, milliseconds: float, peaks: Mapping[str, float]) -> LayerTime:
    layer = Layer.parse(kernel.layer) if kernel.layer is not None else None
    mult_adds = layer.mult_adds if layer is not None else 0
    rate = _rate(mult_adds, milliseconds)
    return LayerTime(
        name=kernel.layer or kernel.name,
        kind=layer.kind if layer is not None else "other",
        ms=milliseconds,
        mult_adds=mult_adds,
        gmacs_per_s=rate,
        bytes=_bytes(layer, BYTES[kernel.dtype]) if layer is not None else None,
        record=kernel.record,
        peak_share=rate / peaks.get(kernel.dtype, peaks[FLOAT32]),
        generator=UNSET if kernel.generator is None else kernel.generator,
        dtype=kernel.dtype,
        why=kernel.why,
    )


def _bytes(layer: Layer, size: int) -> int:
    """What the kernel has to read and write at least once: input, weights, what is added, output.

    :param size: of an activation and of a weight.
    """
    if layer.kind == "separable":
        first, last = layer.depthwise_part, layer.pointwise_part
        between = last.batch * last.height * last.width * last.in_channels
        return _bytes(first, size) + _bytes(last, size) - 2 * size * between
    data = layer.batch * layer.height * layer.width * layer.in_channels
    output = layer.batch * layer.out_height * layer.out_width * layer.out_channels
    weights = 0
    if "pool" not in layer.kind:
        inputs = 1 if layer.kind == "depthwise" else layer.in_channels // layer.groups
        weights = layer.out_channels * inputs * layer.kernel[0] * layer.kernel[1]
    bias = BYTES[FLOAT32] * layer.out_channels * ("bias" in layer.epilogue)
    return size * (data + weights + output + output * ("add" in layer.epilogue)) + bias


def _rate(mult_adds: int, milliseconds: float) -> float:
    return mult_adds / milliseconds * 1e-6 if milliseconds > 0 else 0.0
