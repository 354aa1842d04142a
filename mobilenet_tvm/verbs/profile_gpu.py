"""What a GPU's package says of its kernels, and where a GPU is at hand, how long they take there."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Literal

from emulated_gpu.counters import Launch, read_counters
from mobilenet_tvm.base.compiled import DeviceKernel, Dtype, Record
from mobilenet_tvm.base.document import UNSET, Amount, Count, Document, Factor, Whole
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import DEFAULT
from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.package.open import Package
from mobilenet_tvm.package.reference import first_input
from mobilenet_tvm.places.answers import Call, CallTimes, ClassifyAnswer, ProfileAnswer
from mobilenet_tvm.places.conditions import MeasuredUnder, conditions, versions
from mobilenet_tvm.places.emulated_gpu import EmulatedGpu
from mobilenet_tvm.places.place import Place, place_of
from mobilenet_tvm.places.runner import run_package
from targets.gpu_at_hand import has_gpu

REPEAT = 50
_PER_CALL = ("estimated_us", "global_bytes", "unique_bytes", "flops", "tensor_flops")


class CountedLaunches(Document):
    """What the emulated GPU counted of a device function: means over its launches.

    :ivar launches: in one inference.
    :ivar global_bytes: that threads load and store.
    :ivar unique_bytes: each byte that is read once and each that is written once.
    :ivar sector_bytes: of the sectors of 32 bytes that warps touch.
    """

    launches: Whole
    global_bytes: Amount
    unique_bytes: Amount
    sector_bytes: Amount


class ProfiledKernel(DeviceKernel):
    """A device function, its layer, and what was measured and counted of it.

    :ivar measured_us: of one call on a GPU; null where none ran it.
    :ivar emulated: what the emulated GPU counted; null where it did not run.
    """

    layer: str | None
    mult_adds: Whole
    record: Record
    measured_us: Amount | None
    emulated: CountedLaunches | None


class GpuProfiled(Document):
    """What ``profile`` returns of a GPU's package; sums are of one inference.

    :ivar where: modelled: nothing ran it, all its figures were left in it by its compilation.
    :ivar device: the board that ran it, as tracker://HOST:PORT/KEY.
    :ivar card: the GPU that the model knows the figures of.
    :ivar launch_us: assumed time of a launch, in every estimate.
    :ivar launches: in one inference.
    :ivar estimated_us: by the static model, launch time included; nothing measured it.
    :ivar global_bytes: that threads ask of global memory, loads and stores.
    :ivar unique_bytes: each buffer once where it is read and once where it is written.
    :ivar flops: outside tensor cores, a multiply-add counted as two.
    :ivar tensor_flops: of tensor cores.
    :ivar total_ms: median of whole inferences on a GPU; null where none ran it.
    """

    package: str
    model: str
    dtype: Dtype
    target: str
    where: Literal["modelled", "host", "emulated", "device"]
    device: str | None
    conditions: MeasuredUnder
    card: str
    gpu_model_version: Count
    launch_us: Amount
    launches: Whole
    estimated_us: Factor
    global_bytes: Whole
    unique_bytes: Whole
    flops: Whole
    tensor_flops: Whole
    total_ms: Factor | None
    runs: Count | None
    kernels: tuple[ProfiledKernel, ...]


def gpu_profile(
    package: Package, repeat: int | None, *, emulate: bool, device: str | None, on_event: OnEvent
) -> GpuProfiled:
    """Per kernel the figures that the package carries, its time where a GPU runs it, what the emulated GPU counts.

    An emulator's times are not told.

    :returns: ``schemas/profile_gpu.json``.
    :raises UserError: the package carries no such figures, or what runs it is not fit for it.
    """
    manifest = package.manifest
    code = manifest.device_code
    assert code is not None
    if code.model is UNSET or any("estimated_us" not in kernel for kernel in code.kernels):
        raise UserError(f"{package.shown} does not say what its kernels do: compile it again with this version")
    place = None
    if emulate or device is not None or has_gpu():
        place = place_of(package, emulate=emulate, device=device, on_event=on_event)
    measured = _measure(place, repeat) if place is not None and place.where != "emulated" else None
    times = _times(measured.calls) if measured is not None else {}
    counted = _counted(place) if isinstance(place, EmulatedGpu) else {}
    kernels = tuple(_kernel(kernel, manifest, times, counted) for kernel in code.kernels)
    before = place.conditions() if place is not None else conditions()
    return GpuProfiled(
        package=package.shown,
        model=manifest.model.name,
        dtype=manifest.dtype,
        target=manifest.target.name,
        where=place.where if place is not None else "modelled",
        device=place.device if place is not None else None,
        conditions=MeasuredUnder(**before, versions={**versions(), **manifest.versions}),
        card=code.model.card,
        gpu_model_version=code.model.version,
        launch_us=code.model.launch_us,
        launches=sum(kernel["calls"] for kernel in kernels),
        **{key: sum(kernel["calls"] * kernel[key] for kernel in kernels) for key in _PER_CALL},
        total_ms=measured.median_ms if measured is not None else None,
        runs=measured.runs if measured is not None else None,
        kernels=kernels,
    )


def _measure(place: Place, repeat: int | None) -> CallTimes:
    """The runner's profile."""
    return run_package(place, ["--profile", "--repeat", str(repeat or REPEAT)], ProfileAnswer).profile


def _counted(place: EmulatedGpu) -> dict[str, CountedLaunches]:
    """What the emulated GPU counts in one inference, by device function."""
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as temporary:
        counters, tensor = Path(temporary) / "counters.jsonl", Path(temporary) / "input.npy"
        tensor.write_bytes(first_input(place.package))
        run_package(place.counting(counters), [str(tensor)], ClassifyAnswer)
        launches: dict[str, list[Launch]] = defaultdict(list)
        for launch in read_counters(counters):
            launches[launch.kernel].append(launch)
    return {
        name: CountedLaunches(
            launches=len(of_kernel),
            global_bytes=mean(launch.bytes_loaded + launch.bytes_stored for launch in of_kernel),
            unique_bytes=mean(launch.unique_bytes_read + launch.unique_bytes_written for launch in of_kernel),
            sector_bytes=mean(launch.sector_bytes_loaded + launch.sector_bytes_stored for launch in of_kernel),
        )
        for name, of_kernel in launches.items()
    }


def _times(calls: Sequence[Call]) -> dict[str, float]:
    """Microseconds of one call of each function, the mean where the network calls it more than once."""
    times: dict[str, list[float]] = defaultdict(list)
    for call in calls:
        times[call.name].append(1e3 * call.median_ms)
    return {name: mean(of_function) for name, of_function in times.items()}


def _kernel(
    kernel: DeviceKernel, manifest: Manifest, times: Mapping[str, float], counted: Mapping[str, CountedLaunches]
) -> ProfiledKernel:
    function = next((known for known in manifest.kernels if known.name == kernel.function), None)
    layer = function.layer if function is not None else None
    return ProfiledKernel(
        **kernel,
        layer=layer,
        mult_adds=Layer.parse(layer).mult_adds if layer is not None else 0,
        record=function.record if function is not None else DEFAULT,
        measured_us=times.get(str(kernel.function)),
        emulated=counted.get(kernel.name),
    )
