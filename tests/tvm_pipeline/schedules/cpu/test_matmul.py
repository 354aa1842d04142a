"""Products of matrices of any size, stored and broadcast in any way."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
import pytest
import tvm
from hypothesis import given
from hypothesis import strategies as st

from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.passes.lowering.pack import pack_columns
from tvm_pipeline.schedules.cpu.matmul import matmul, pieces, tiling_of
from tvm_pipeline.workloads.product import Product

PRODUCTS = [
    Product((4, 65, 16), (4, 16, 65), transposed=True, scale=0.25),
    Product((4, 65, 65), (4, 65, 16)),
    Product((2, 1, 19, 33), (3, 33, 27)),
    Product((5, 7), (5, 7, 3)),
    Product((3, 4, 1), (3, 1, 1)),
    Product((65, 64), (64, 40), packed=True, epilogue=("bias", "relu", "add")),
    Product((4, 24), (24, 10), packed=True, epilogue=("bias", "hard_swish")),
]


def _run(product: Product, target: CpuTarget) -> tuple[np.ndarray, np.ndarray]:
    """The kernel's result, and NumPy's."""
    random = np.random.default_rng(0)
    left, right, bias, residual = (
        random.standard_normal(shape).astype(np.float32)
        for shape in (product.left, product.right, (product.columns,), product.shape)
    )
    expected = left.astype(np.float64) @ right * product.scale
    stored = right.swapaxes(-1, -2) if product.transposed else right
    if product.packed:
        stored = pack_columns(right.T, target.unit.lanes)
    others = {"bias": bias, "add": residual}
    for name in product.epilogue:
        expected = {
            "bias": lambda value: value + bias,
            "add": lambda value: value + residual,
            "relu": lambda value: np.maximum(value, 0),
            "hard_swish": lambda value: value * np.clip(value / 6 + 0.5, 0, 1),
        }[name](expected)
    kernel = matmul(product, target.unit)
    run = tvm.compile(
        tvm.IRModule({"main": kernel.with_attr("global_symbol", "main")}),
        target=target.tvm,
        tir_pipeline=CODEGEN_PIPELINE,
    )
    operands = [left, np.ascontiguousarray(stored), *(others[name] for name in product.epilogue if name in others)]
    shapes = [[int(extent) for extent in parameter.shape] for parameter in kernel.params]
    result = tvm.runtime.tensor(np.full(shapes[-1], np.nan, np.float32))
    arguments = [operand.reshape(shape) for operand, shape in zip(operands, shapes, strict=False)]
    run["main"](*map(tvm.runtime.tensor, arguments), result)
    return result.numpy().reshape(product.shape), expected


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.name)
def test_result(product: Product, each_target: CpuTarget) -> None:
    result, expected = _run(product, each_target)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


@given(
    sizes=st.tuples(*[st.integers(1, 40)] * 3),
    batches=st.tuples(*[st.lists(st.booleans(), max_size=2)] * 2),
    transposed=st.booleans(),
)
def test_any_sizes(
    sizes: tuple[int, int, int], batches: tuple[list[bool], list[bool]], transposed: bool, target: CpuTarget
) -> None:
    rows, inner, columns = sizes
    left, right = (
        tuple(2 + place if holds else 1 for place, holds in enumerate(batch[::-1]))[::-1] for batch in batches
    )
    product = Product((*left, rows, inner), (*right, inner, columns), transposed=transposed)
    result, expected = _run(product, target)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_a_tile_fits_the_registers_and_panels_cover_all_columns(each_target: CpuTarget) -> None:
    for product in [*PRODUCTS, replace(PRODUCTS[0], left=(1, 197, 64), right=(1, 64, 197))]:
        tiling = tiling_of(product, each_target.unit)
        assert tiling.rows * tiling.blocks < each_target.unit.registers
        covered = [
            (panel.blocks * panel.count - 1) * tiling.lanes + panel.columns for panel in tiling.panels(product.columns)
        ]
        assert sum(covered) == product.columns
        assert prod(product.shape) * product.inner == product.mult_adds


def test_pieces_are_powers_of_two() -> None:
    assert list(pieces(45, 16)) == [(0, 16), (16, 16), (32, 8), (40, 4), (44, 1)]
