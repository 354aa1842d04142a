"""Tensor intrinsics of x86's dot products: AVX512-BF16's pairs, AVX512-VNNI's fours, for each result."""

from functools import cache

from tvm.s_tir import TensorIntrin
from tvm.script import tirx as T

from tvm_pipeline.intrinsics import bfloat16, int8

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


@cache
def dot_of_fours(lanes: int) -> str:
    """The same of unsigned bytes times signed ones."""

    @T.prim_func(s_tir=True)
    def meaning(
        data: T.Buffer((4,), "uint8", offset_factor=1),
        weight: T.Buffer((lanes, 4), "int8", offset_factor=1),
        total: T.Buffer((lanes,), "int32", offset_factor=1, scope="local"),
    ) -> None:
        with T.sblock("root"):
            T.reads(total[0:lanes], data[0:4], weight[0:lanes, 0:4])
            T.writes(total[0:lanes])
            for i in T.serial(0, lanes):
                for k in T.serial(0, 4):
                    with T.sblock("update"):
                        vi, vk = T.axis.remap("SR", [i, k])
                        total[vi] = total[vi] + T.cast(data[vk], "int32") * T.cast(weight[vi, vk], "int32")

    integers, fours = f"int32x{lanes}", f"int8x{4 * lanes}"

    @T.prim_func(s_tir=True)
    def instruction(
        data: T.Buffer((4,), "uint8", offset_factor=1),
        weight: T.Buffer((lanes, 4), "int8", offset_factor=1),
        total: T.Buffer((lanes,), "int32", offset_factor=1, scope="local"),
    ) -> None:
        with T.sblock("root"):
            T.reads(total[0:lanes], data[0:4], weight[0:lanes, 0:4])
            T.writes(total[0:lanes])
            total[T.ramp(T.int32(0), 1, lanes)] = T.call_intrin(
                integers,
                int8.DOT,
                total.vload([0], integers),
                T.broadcast(T.reinterpret(data.vload([0], "uint8x4"), dtype="int32"), lanes),
                T.reinterpret(weight.vload([0, 0], fours), dtype=integers),
            )

    name = f"mobilenet_tvm.int8_dot.x{lanes}"
    TensorIntrin.register(name, meaning, instruction)
    return name


def register() -> None:
    """Registers all of them."""
    for lanes in (8, 16):
        dot_of_pairs(lanes)
        dot_of_fours(lanes)
