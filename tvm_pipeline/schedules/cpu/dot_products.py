"""Tensor intrinsics of dot products: AVX512-BF16's pairs, and of bytes fours or pairs, for each result."""

from dataclasses import dataclass
from functools import cache

from tvm.s_tir import TensorIntrin
from tvm.script import tirx as T

from tvm_pipeline.hardware.column_pairs import PAIR
from tvm_pipeline.hardware.cpu import NEON_LANES
from tvm_pipeline.intrinsics import bfloat16, int8
from tvm_pipeline.workloads.int8.layers import FOUR

# mypy: ignore-errors


@cache
def dot_of_pairs(lanes: int) -> str:
    """The name of the intrinsic for so many results, registered on first use."""

    @T.prim_func(s_tir=True)
    def meaning(
        data: T.Buffer((2,), "uint16", offset_factor=1),
        weight: T.Buffer((lanes, 2), "uint16", offset_factor=1),
        total: T.Buffer((lanes,), "float32", offset_factor=1, scope="local"),
    ) -> None:
        with T.sblock("root"):
            T.reads(total[0:lanes], data[0:2], weight[0:lanes, 0:2])
            T.writes(total[0:lanes])
            for i in T.serial(0, lanes):
                for k in T.serial(0, 2):
                    with T.sblock("update"):
                        vi, vk = T.axis.remap("SR", [i, k])
                        total[vi] = total[vi] + T.reinterpret(
                            T.shift_left(T.cast(data[vk], "uint32"), T.uint32(16)), dtype="float32"
                        ) * T.reinterpret(T.shift_left(T.cast(weight[vi, vk], "uint32"), T.uint32(16)), dtype="float32")

    floats, integers, pairs = f"float32x{lanes}", f"int32x{lanes}", f"uint16x{2 * lanes}"

    @T.prim_func(s_tir=True)
    def instruction(
        data: T.Buffer((2,), "uint16", offset_factor=1),
        weight: T.Buffer((lanes, 2), "uint16", offset_factor=1),
        total: T.Buffer((lanes,), "float32", offset_factor=1, scope="local"),
    ) -> None:
        with T.sblock("root"):
            T.reads(total[0:lanes], data[0:2], weight[0:lanes, 0:2])
            T.writes(total[0:lanes])
            total[T.ramp(T.int32(0), 1, lanes)] = T.call_intrin(
                floats,
                bfloat16.DOT,
                total.vload([0], floats),
                T.broadcast(T.reinterpret(data.vload([0], "uint16x2"), dtype="int32"), lanes),
                T.reinterpret(weight.vload([0, 0], pairs), dtype=integers),
            )

    name = f"mobilenet_tvm.bfloat16_dot.x{lanes}"
    TensorIntrin.register(name, meaning, instruction)
    return name


@dataclass(frozen=True)
class DotOfBytes:
    """An instruction that multiplies groups of bytes.

    :ivar group: input channels that it multiplies for each result.
    :ivar data: the dtype that activations have by then.
    :ivar called: the operator that stands for it.
    """

    group: int
    data: str
    called: str

    def intrinsic(self, lanes: int) -> str:
        """The name of the tensor intrinsic for so many results, registered on first use."""
        return _dot_of_bytes(self.group, self.data, self.called, lanes)


@cache
def _dot_of_bytes(group: int, data_dtype: str, called: str, lanes: int) -> str:
    @T.prim_func(s_tir=True)
    def meaning(
        data: T.Buffer((group,), data_dtype, offset_factor=1),
        weight: T.Buffer((lanes, group), "int8", offset_factor=1),
        total: T.Buffer((lanes,), "int32", offset_factor=1, scope="local"),
    ) -> None:
        with T.sblock("root"):
            T.reads(total[0:lanes], data[0:group], weight[0:lanes, 0:group])
            T.writes(total[0:lanes])
            for i in T.serial(0, lanes):
                for k in T.serial(0, group):
                    with T.sblock("update"):
                        vi, vk = T.axis.remap("SR", [i, k])
                        total[vi] = total[vi] + T.cast(data[vk], "int32") * T.cast(weight[vi, vk], "int32")

    integers, values = f"int32x{lanes}", f"{data_dtype}x{group}"
    bytes_, groups = f"int8x{group * lanes}", f"int{8 * group}x{lanes}"

    @T.prim_func(s_tir=True)
    def instruction(
        data: T.Buffer((group,), data_dtype, offset_factor=1),
        weight: T.Buffer((lanes, group), "int8", offset_factor=1),
        total: T.Buffer((lanes,), "int32", offset_factor=1, scope="local"),
    ) -> None:
        with T.sblock("root"):
            T.reads(total[0:lanes], data[0:group], weight[0:lanes, 0:group])
            T.writes(total[0:lanes])
            total[T.ramp(T.int32(0), 1, lanes)] = T.call_intrin(
                integers,
                called,
                total.vload([0], integers),
                T.broadcast(T.reinterpret(data.vload([0], values), dtype="int32"), lanes),
                T.reinterpret(weight.vload([0, 0], bytes_), dtype=groups),
            )

    name = f"{called}.x{lanes}"
    TensorIntrin.register(name, meaning, instruction)
    return name


VNNI = DotOfBytes(FOUR, "uint8", int8.DOT)
SDOT = DotOfBytes(FOUR, "int8", int8.SIGNED_DOT)
PMADDWD = DotOfBytes(PAIR, "int16", int8.WIDE_DOT)


def register() -> None:
    """Registers all of them."""
    for lanes in (8, 16):
        dot_of_pairs(lanes)
        VNNI.intrinsic(lanes)
        PMADDWD.intrinsic(lanes)
    SDOT.intrinsic(NEON_LANES)
