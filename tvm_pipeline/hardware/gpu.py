"""The part of a GPU that a schedule is cut for, and that its time is estimated from."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.choice_log import LoggedChoices
from mobilenet_tvm.base.target_spec import GpuFigures
from tvm_pipeline.hardware.channel_block import block_count, channel_block, padded_channels
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


class GpuUnit(GpuFigures):
    """A GPU by its published figures.

    :ivar dtype: of activations and weights.
    """

    dtype: str = "float32"
    family: ClassVar = GPU
    multiplies_bytes: ClassVar = False
    taken_off_bytes: ClassVar = 0
    keeps_bytes: ClassVar = False
    maximum_drops_nan: ClassVar = True  # CUDA's fmaxf

    @property
    def stored(self) -> str:
        return self.dtype

    @staticmethod
    def of_target(values: Mapping[str, Any], dtype: str) -> "GpuUnit":
        """That of a target's JSON, which holds the GPU's figures.

        :raises ValueError: a figure is missing, the target has no host, or the dtype is unknown.
        """
        if not isinstance(values["tvm"].get("host"), Mapping):
            raise ValueError("[tvm] of kind cuda lacks its host: add a table [tvm.host]")
        if dtype not in DTYPES:
            raise ValueError(f"a GPU's packages have dtype {' or '.join(DTYPES)}, not {dtype}")
        try:
            return GpuUnit.from_json({**(values.get("gpu") or {}), "dtype": dtype})
        except msgspec.ValidationError as error:
            raise ValueError(f"[gpu] lacks a GPU's figures: {error}") from error

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
        steps = block_count(layer.in_channels)
        channels = padded_channels(layer.out_channels)
        has_one_tile = channels <= MOST_CHANNELS and channels & (channels - 1) == 0
        pixels = layer.batch * layer.out_height * layer.out_width
        return steps <= MOST_STEPS and has_one_tile and pixels >= FEWEST_PIXELS * self.multiprocessors

    def strassen_pays(self, layer: Layer) -> bool:
        return False  # its sums cost launches and traffic, and a GPU has multiply-adds to spare

    def uses_all_threads(self, layer: Layer) -> bool:
        return True

    def with_choices(self, choices: LoggedChoices) -> Self:
        return self  # which measures none of them
