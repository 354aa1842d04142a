"""What compiling a network gives: its tensors, its kernels and where each schedule came from, a GPU's device code."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from mobilenet_tvm.base.document import UNSET, Amount, Count, Document, Factor, Sha256, UnsetType, Whole

Record = Annotated[str, Meta(extra_json_schema={"enum": ["measured", "modelled", "default"]})]
"""Where a schedule came from: a clock, a static model, or its generator's rule."""

Dtype = Annotated[str, Meta(extra_json_schema={"enum": ["float32", "float16", "bfloat16", "int8"]})]
"""What a network computes in."""

FALLBACK = "fallback/1"
"""What stands for the generator of a kernel that none knows: the schedule that serves any loops."""

Extents = tuple[Count, Count, Count]
"""Along x, y and z."""


class Tensor(Document):
    """An input or output of the network."""

    name: str
    shape: tuple[Whole, ...]
    dtype: str


class Kernel(Document):
    """A kernel of the network, and where its schedule came from.

    :ivar layer: layer descriptor; null for what no workload defined (reshapes, say).
    :ivar generator: ``name/version`` of the generator that made the schedule.
    :ivar campaign: under which it was tuned.
    :ivar cpu: LLVM's name of the CPU that it was tuned on; not there where that is not known.
    :ivar seconds: of one call, when it was tuned; null for defaults.
    :ivar decisions: the schedule's knobs.
    :ivar dtype: of the activations and weights that it computes with.
    :ivar estimated_us: of all its calls in one inference, by rates of thumb; nothing measured it.
    :ivar why: in a quantised network, of a kernel that computes in float32: why it does not in int8.
    """

    name: str
    layer: str | None
    record: Record
    generator: str | None = None
    campaign: str | None = None
    seconds: float | None = None
    decisions: dict[str, int] | None = None
    cpu: str | UnsetType = UNSET
    dtype: str = "float32"
    estimated_us: Amount | UnsetType = UNSET
    why: str | UnsetType = UNSET


def fallback_share(kernels: Iterable[Kernel]) -> float | None:
    """Of the kernels' estimated time what those take that no generator knows; None where nothing was estimated."""
    known = [(kernel, kernel.estimated_us) for kernel in kernels if kernel.estimated_us is not UNSET]
    total = sum(time for _, time in known)
    return sum(time for kernel, time in known if kernel.generator == FALLBACK) / total if total else None


class Argument(Document):
    """A pointer of a device function, and the bytes of its memory."""

    name: str
    bytes: Whole


class DeviceKernel(Document):
    """A device function: what ptxas says of it and, behind that, what the static model does.

    :ivar registers: of each thread.
    :ivar shared_bytes: static shared memory of a block.
    :ivar spill_bytes: stored and loaded by each thread because registers ran out.
    :ivar arguments: its pointers whose memory is known.
    :ivar function: the kernel of the network that launches it.
    :ivar calls: launches in one inference.
    :ivar grid: blocks along x, y, z.
    :ivar block: threads of a block along x, y, z.
    :ivar occupancy: resident warps, as a share of those that a multiprocessor holds at most.
    :ivar resident_blocks: of one multiprocessor.
    :ivar limited_by: what keeps more blocks from being resident.
    :ivar waves: rounds of resident blocks over all multiprocessors.
    :ivar global_bytes: that threads ask of global memory, loads and stores.
    :ivar sector_bytes: that warps ask of the caches, in whole sectors of 32 bytes.
    :ivar unique_bytes: each buffer once where it is read and once where it is written.
    :ivar flops: outside tensor cores, a multiply-add counted as two.
    :ivar tensor_flops: of tensor cores.
    :ivar barriers: that a block passes.
    :ivar estimated_us: of one launch by the static model, launch time included; nothing measured it.
    :ivar bound: what the model's time is spent on.
    """

    name: str
    registers: Whole
    shared_bytes: Whole
    spill_bytes: Whole
    arguments: tuple[Argument, ...] | UnsetType = UNSET
    function: str | UnsetType = UNSET
    calls: Whole | UnsetType = UNSET
    grid: Extents | UnsetType = UNSET
    block: Extents | UnsetType = UNSET
    occupancy: Annotated[float, Meta(gt=0, le=1)] | UnsetType = UNSET
    resident_blocks: Count | UnsetType = UNSET
    limited_by: Literal["threads", "blocks", "registers", "shared memory"] | UnsetType = UNSET
    waves: Amount | UnsetType = UNSET
    global_bytes: Whole | UnsetType = UNSET
    sector_bytes: Whole | UnsetType = UNSET
    unique_bytes: Whole | UnsetType = UNSET
    flops: Whole | UnsetType = UNSET
    tensor_flops: Whole | UnsetType = UNSET
    barriers: Whole | UnsetType = UNSET
    estimated_us: Factor | UnsetType = UNSET
    bound: (
        Literal[
            "latency",
            "compute",
            "tensor cores",
            "load/store",
            "issue",
            "second-level cache",
            "memory",
            "launch",
        ]
        | UnsetType
    ) = UNSET


class DeviceModel(Document):
    """The static model behind the device functions' figures.

    :ivar card: whose figures it knows.
    :ivar launch_us: assumed time of a launch.
    """

    version: Count
    card: str
    launch_us: Amount


class DeviceCode(Document):
    """The GPU's part of a module.

    :ivar arch: whose machine code the module holds.
    :ivar ptx: virtual architecture of its PTX, from which a driver makes code for newer GPUs.
    :ivar driver: the least branch of the driver.
    :ivar source: the CUDA source, a file of the package.
    :ivar fatbin_sha256: of the module's section .nv_fatbin, compiled from that source.
    """

    arch: str
    ptx: str
    driver: str | None
    compiler: str | UnsetType = UNSET
    source: str
    source_sha256: Sha256
    fatbin_sha256: Sha256
    kernels: tuple[DeviceKernel, ...]
    model: DeviceModel | UnsetType = UNSET


class Quantisation(Document):
    """How a float network became one in eight bits.

    :ivar float_sha256: of the float ONNX file.
    :ivar quantiser: whose work the scales are, and its version.
    :ivar calibration: what the ranges were seen on: a folder's images, or seeded random inputs.
    :ivar images: how many.
    :ivar equalised: layers whose channels were scaled alike beforehand.
    """

    float_sha256: Sha256
    quantiser: str
    calibration: Literal["images", "random"]
    images: Count
    equalised: Whole


class Built(Document):
    """The pipeline's answer to a ``CompileJob``."""

    module: Path
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    kernels: tuple[Kernel, ...]
    device_code: DeviceCode | None
    tvm_version: str
    tvm_ffi_version: str
    llvm_version: str
