"""The part of a GPU that a schedule is cut for, and that its time is estimated from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, padded_channels
from tvm_pipeline.hardware.unit import GPU

DTYPES = ("float32", "float16")

AMPERE = 80
"""The compute capability from which copies into shared memory run on their own."""

VECTOR_BYTES = 16
"""The widest load and store of a thread moves so many."""

FRAGMENT = 16
"""Pixels, input channels and output channels of one product of tensor cores, which multiply float16."""

FEWEST_TENSOR_PIXELS = 8
"""With fewer, more than half of a fragment would be needless."""

MOST_STEPS, MOST_CHANNELS = 2, 64
"""Of a fused kernel: a step's copies wait for memory, and every tile of channels needs the depthwise half anew."""

FEWEST_PIXELS = 16
"""Of a multiprocessor in a fused kernel: with fewer, most of what a block reads is border."""


@dataclass(frozen=True)
class GpuUnit:
    """Published figures of a GPU: the ``[gpu]`` table of its preset.

    :ivar compute_capability: major and minor as one number: 80 is 8.0.
    :ivar shared_bytes_per_block: most shared memory of one block, dynamic memory that the driver must be asked for
        included (static arrays end at 48 KiB on every GPU).
    :ivar shared_bytes_per_multiprocessor: what resident blocks share; each also takes 1 KiB for the system from 8.0 on.
    :ivar registers_per_multiprocessor: of 32 bits.
    :ivar bandwidth_gb_s: of the memory, in 10^9 bytes per second.
    :ivar clock_mhz: of the multiprocessors, boosted.
    :ivar fp32_lanes_per_multiprocessor: float32 multiply-adds per cycle.
    :ivar half_tensor_fma_per_cycle: per multiprocessor, float16 multiply-adds of the tensor cores per cycle, dense,
        added up in float32.
    :ivar launch_us: assumed time from one kernel's end to the next one's start inside a CUDA graph, in microseconds.
    :ivar dtype: of activations and weights.
    """

    compute_capability: int
    multiprocessors: int
    shared_bytes_per_block: int
    shared_bytes_per_multiprocessor: int
    registers_per_multiprocessor: int
    threads_per_multiprocessor: int
    blocks_per_multiprocessor: int
    l2_bytes: int
    bandwidth_gb_s: float
    clock_mhz: float
    fp32_lanes_per_multiprocessor: int
    half_tensor_fma_per_cycle: int
    launch_us: float
    dtype: str = "float32"
    family: ClassVar = GPU

    @staticmethod
    def of_target(values: Mapping[str, Any], dtype: str) -> "GpuUnit":
        """That of a target's JSON, which holds the GPU's figures.

        :raises ValueError: a figure is missing or unknown, the target has no host, or the dtype is unknown.
        """
        if not isinstance(values["tvm"].get("host"), Mapping):
            raise ValueError("[tvm] of kind cuda lacks its host: add a table [tvm.host]")
        return GpuUnit.from_json(values.get("gpu") or {}, dtype)

    @staticmethod
    def from_json(values: Mapping[str, Any], dtype: str = "float32") -> "GpuUnit":
        """A preset's ``[gpu]`` table.

        :raises ValueError: a figure is missing or unknown, or the dtype is.
        """
        if dtype not in DTYPES:
            raise ValueError(f"a GPU's packages have dtype {' or '.join(DTYPES)}, not {dtype}")
        figures = {field.name: field.type for field in fields(GpuUnit) if field.name != "dtype"}
        if wrong := sorted(set(values) ^ set(figures)):
            raise ValueError(f"[gpu] must have exactly the figures {', '.join(figures)}: see {', '.join(wrong)}")
        return GpuUnit(**{name: figures[name](value) for name, value in values.items()}, dtype=dtype)  # type: ignore[operator]

    @property
    def arch(self) -> str:
        """The architecture as nvcc names it: ``sm_80``."""
        return f"sm_{self.compute_capability}"

    @property
    def is_ampere_or_newer(self) -> bool:
        return self.compute_capability >= AMPERE

    @property
    def value_bytes(self) -> int:
        """Of an activation or a weight."""
        return 2 if self.dtype == "float16" else 4

    @property
    def vector_lanes(self) -> int:
        """How many values one wide load brings."""
        return VECTOR_BYTES // self.value_bytes

    def kernel_kind(self, layer: Layer) -> str:
        is_for_tensor_cores = layer.kind == "pointwise" and self._fits_tensor_cores(layer)
        return "tensor_pointwise" if is_for_tensor_cores else layer.kind

    def _fits_tensor_cores(self, layer: Layer) -> bool:
        """Whether a pointwise layer's blocks of channels are fragments, and its image fills one at least half."""
        blocks = (channel_block(layer.in_channels), channel_block(layer.out_channels))
        is_whole = self.dtype == "float16" and blocks == (FRAGMENT, FRAGMENT)
        return is_whole and layer.height * layer.width >= FEWEST_TENSOR_PIXELS

    def fuses(self, layer: Layer) -> bool:
        """Of a large image with few channels."""
        steps = padded_channels(layer.in_channels) // channel_block(layer.in_channels)
        channels = padded_channels(layer.out_channels)
        has_one_tile = channels <= MOST_CHANNELS and channels & (channels - 1) == 0
        pixels = layer.batch * layer.out_height * layer.out_width
        return steps <= MOST_STEPS and has_one_tile and pixels >= FEWEST_PIXELS * self.multiprocessors

    def strassen_pays(self, layer: Layer) -> bool:
        return False  # its sums cost launches and traffic, and a GPU has multiply-adds to spare
