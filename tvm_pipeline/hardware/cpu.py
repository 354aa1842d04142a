"""The part of a CPU that a schedule is cut for, and which kernels pay on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.choice_log import FUSED, PARALLEL, STRASSEN, LoggedChoices
from tvm_pipeline.hardware.channel_block import has_even_blocks
from tvm_pipeline.hardware.channel_groups import is_narrow
from tvm_pipeline.hardware.column_pairs import takes_column_pairs
from tvm_pipeline.hardware.stored import BITS
from tvm_pipeline.hardware.unit import CPU
from tvm_pipeline.hardware.whole_tiles import OVERHANGING_TILES, in_whole_tiles

NEON_LANES, AVX2_LANES, AVX512_LANES = 4, 8, 16

FLOAT32, BFLOAT16, INT8 = "float32", "bfloat16", "int8"

_FOURS, _NARROW = "int8_pointwise", "int8_narrow_pointwise"
_SIGNED, _SHORTS = "int8_pointwise_of_signed", "int8_pointwise_of_shorts"

_BYTES: Mapping[str, str] = {"avx512_vnni": _FOURS, "avx_vnni": _NARROW, "asimddp": _SIGNED, "avx2": _SHORTS}
"""The kernels that multiply bytes, by what a CPU must have for them; the best come first."""

SIGN = 128
"""What a byte loses where an instruction takes signed ones; the bias gets it back, times the sum of the weights."""

_REGISTERS = {512: 32, 256: 16, 128: 32}
"""Architectural vector registers by vector width: AVX-512, AVX2, NEON."""

FUSED_WEIGHT_BYTES = 256 * 1024
"""A separable kernel reads its pointwise weights once per stripe: so many stay in any second-level cache."""

FUSED_CHANNELS = 128
"""Out: with 16 registers and so many, a row that has no tiles of five or six pixels costs more than a copy of what lies
between the halves: 56x56x128->128 takes 946 us as one kernel, 71 and 762 as two (Zen 5)."""

STRASSEN_CHANNELS = 192
"""In and out: with fewer, making and joining the sums costs what an eighth of the multiply-adds is worth."""

STRASSEN_CHANNELS_OF = {("cortex-a72", 1): 512}
"""Where vectors are shorter, by core and threads: one that multiplies more slowly than it loads. The static model says
that 14x14x512->512 takes 12.3 ms in place of 13.1 there (14x14x256->512: 6.2, not 6.1), with four threads 5.4, not
4.5; on a Cortex-A53 21.2 instead of 19.3, on a Cortex-A76 4.6 instead of 4.5."""

STRASSEN_LANES = 16
"""With AVX2's 16 registers halves of 98 pixels make poor tiles: 14x14x512->512 takes 1187 us, not 998 (Zen 4)."""

MANY_REGISTERS = 32
"""Of so many there are enough for a good tile of any number of pixels."""

SMALL_WINDOW = 9
"""Rows and columns: a larger one is not unrolled."""

STRASSEN_PIXELS = 64
"""With 49 the weights, three quarters more than those of a plain product, come too slowly from memory."""

DOUBTFUL = 2
"""Within such a factor of a rule's limits a choice is worth measuring."""


@dataclass(frozen=True)
class VectorUnit:
    """float32 lanes per vector, architectural vector registers, and what else a CPU has.

    :ivar features: what the CPU has, named as in the flags of /proc/cpuinfo.
    :ivar dtype: of activations and weights between kernels: float32 or bfloat16.
    :ivar core: LLVM's name of the core that code is made for, or of its kind.
    :ivar threads: that share a kernel, and the memory.
    :ivar choices: what was measured of choices between kernels: it goes before the rules.
    :ivar dot_windows: whether windows of bytes are dot products too; before they were, they were exact in float32.
    """

    lanes: int
    registers: int
    features: tuple[str, ...] = ()
    dtype: str = FLOAT32
    core: str = ""
    threads: int = 1
    choices: LoggedChoices = field(default=LoggedChoices(), compare=False, repr=False)  # never changes
    dot_windows: bool = True
    family: ClassVar = CPU
    compute_capability: ClassVar = None
    maximum_drops_nan: ClassVar = False  # LLVM compares, and takes the second operand where it cannot

    @staticmethod
    def of_target(values: Mapping[str, Any], dtype: str, threads: int = 1) -> "VectorUnit":
        """That of a target's JSON."""
        bits = int(values["vector_bits"])
        features = tuple(values.get("cpu_features") or ())
        stored = BFLOAT16 if dtype == BFLOAT16 else FLOAT32  # layers of int8 say so themselves
        core = str(values.get("tvm", {}).get("mcpu", ""))
        return VectorUnit(bits // 32, _REGISTERS[bits], features, stored, core, threads)

    @property
    def stored(self) -> str:
        return BITS if self.dtype == BFLOAT16 else self.dtype

    @property
    def multiplies_bytes(self) -> bool:
        return self.dtype == FLOAT32 and self._kernel_of_bytes is not None

    @property
    def taken_off_bytes(self) -> int:
        return SIGN if self._kernel_of_bytes == _SIGNED else 0

    @property
    def _kernel_of_bytes(self) -> str | None:
        return next((kind for feature, kind in _BYTES.items() if feature in self.features), None)

    @property
    def _has_dot_windows(self) -> bool:
        return self.dot_windows and self._kernel_of_bytes in (_FOURS, _NARROW)

    @property
    def keeps_bytes(self) -> bool:
        return self.dtype == FLOAT32

    @property
    def shuffled_bytes(self) -> int:
        """The bytes of a vector that one instruction looks up in tables of sixteen (``pshufb``); 0 where none does."""
        if "avx512bw" in self.features:
            return 64
        return 32 if "avx2" in self.features else 0

    @property
    def multiplies_by_lane(self) -> bool:
        """Whether a multiply-add takes one lane of a vector as its factor (NEON); x86 broadcasts from memory."""
        return self.lanes == NEON_LANES

    def kernel_kind(self, layer: Layer) -> str:
        if layer.dtype == INT8 and layer.kind == "pointwise":
            return self._kernel_of_bytes or _FOURS
        if layer.dtype == INT8 and self._has_dot_windows and _has_small_window(layer):
            return f"int8_dot_{layer.kind}"
        if layer.dtype != FLOAT32:
            return f"{layer.dtype}_{layer.kind}"
        if self.dtype == BFLOAT16 and layer.kind == "pointwise":
            return "bfloat16_pointwise"
        if self.dtype == BFLOAT16 and takes_column_pairs(layer):
            return "bfloat16_conv2d"
        if layer.kind == "pointwise" and self.registers < MANY_REGISTERS:
            return "overhanging_pointwise"
        return "narrow_groups" if layer.kind == "grouped_conv2d" and is_narrow(layer) else layer.kind

    def fuses(self, layer: Layer) -> bool:
        if self.dtype != FLOAT32 or in_whole_tiles(layer.out_width) != layer.out_width:
            return False
        measured = self.choices.taken(FUSED, layer)
        return self._should_fuse(layer) if measured is None else measured

    def _should_fuse(self, layer: Layer) -> bool:
        is_faster_apart = self._has_poor_rows(layer) or self.strassen_pays(layer.pointwise_part)
        return _weight_bytes(layer) <= FUSED_WEIGHT_BYTES and not is_faster_apart

    def _has_poor_rows(self, layer: Layer) -> bool:
        is_cut_well = any(layer.out_width % tile == 0 for tile in OVERHANGING_TILES)
        return self.registers < MANY_REGISTERS and layer.out_channels >= FUSED_CHANNELS and not is_cut_well

    def strassen_pays(self, layer: Layer) -> bool:
        if self.dtype != FLOAT32 or not has_even_blocks(layer):
            return False
        measured = self.choices.taken(STRASSEN, layer)
        return self._should_use_strassen(layer) if measured is None else measured

    @property
    def _least_strassen_channels(self) -> int | None:
        wide = self.lanes >= STRASSEN_LANES
        return STRASSEN_CHANNELS if wide else STRASSEN_CHANNELS_OF.get((self.core, self.threads))

    def _should_use_strassen(self, layer: Layer) -> bool:
        least = self._least_strassen_channels
        is_large = least is not None and _fewest_channels(layer) >= least
        return is_large and layer.height * layer.width >= STRASSEN_PIXELS

    def uses_all_threads(self, layer: Layer) -> bool:
        measured = self.choices.taken(PARALLEL, layer)
        return True if measured is None else measured

    def with_choices(self, choices: LoggedChoices) -> Self:
        return replace(self, choices=choices)

    def is_doubtful(self, choice: str, layer: Layer) -> bool:
        """Whether the rule's answer is worth a measurement: fusing a layer, or Strassen's algorithm."""
        if choice == FUSED:
            is_near = FUSED_WEIGHT_BYTES / DOUBTFUL <= _weight_bytes(layer) <= FUSED_WEIGHT_BYTES * DOUBTFUL
            return is_near or self.strassen_pays(layer.pointwise_part)
        is_large = _fewest_channels(layer) >= STRASSEN_CHANNELS / DOUBTFUL
        return is_large and layer.height * layer.width >= STRASSEN_PIXELS / DOUBTFUL and self.lanes >= STRASSEN_LANES


def _weight_bytes(layer: Layer) -> int:
    """Of the pointwise half."""
    return layer.in_channels * layer.out_channels * 4


def _fewest_channels(layer: Layer) -> int:
    return min(layer.in_channels, layer.out_channels)


def _has_small_window(layer: Layer) -> bool:
    """Whether dot products of rows of a window, taken by fours, are a kernel that LLVM compiles in no time."""
    return layer.dilation == (1, 1) and max(layer.kernel) <= SMALL_WINDOW
