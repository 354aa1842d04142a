"""Which generator serves which layer on which unit."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from tvm import tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.unit import CPU, GPU, Unit
from tvm_pipeline.schedules import cpu, gpu
from tvm_pipeline.schedules.cpu.estimate import estimate_us as cpu_estimate_us
from tvm_pipeline.schedules.cpu.fallback import schedule_fallback
from tvm_pipeline.schedules.cpu.int8.byte_values import ByteValues
from tvm_pipeline.schedules.cpu.int8.byte_values import byte_table as cpu_byte_table
from tvm_pipeline.schedules.cpu.int8.byte_values import byte_values as cpu_byte_values
from tvm_pipeline.schedules.cpu.matmul import matmul
from tvm_pipeline.schedules.generator import Generator, label_of
from tvm_pipeline.schedules.gpu.fallback import schedule_gpu_fallback
from tvm_pipeline.workloads.product import Product

_GENERATORS: Mapping[str, tuple[Generator, ...]] = {CPU: cpu.GENERATORS, GPU: gpu.GENERATORS}
_FALLBACKS: Mapping[str, Callable[[tirx.PrimFunc, Any], tirx.PrimFunc]] = {
    CPU: schedule_fallback,
    GPU: schedule_gpu_fallback,
}

_WRITERS: Mapping[str, Callable[[Product, Any], tirx.PrimFunc]] = {CPU: matmul}

_BYTES: Mapping[str, Callable[[ByteValues, Any], tirx.PrimFunc]] = {CPU: cpu_byte_values}
_TABLES: Mapping[str, Callable[[np.ndarray, Any], np.ndarray]] = {CPU: cpu_byte_table}

_ESTIMATES: Mapping[str, Callable[[tirx.PrimFunc, Layer | None, Any], float]] = {CPU: cpu_estimate_us}

_EARLIER: Mapping[str, Callable[[Any], tuple[Unit, ...]]] = {CPU: lambda unit: (replace(unit, dot_windows=False),)}


def generator_for(layer: Layer, unit: Unit) -> Generator:
    """The generator of a layer's kind on a unit.

    :raises KeyError: the unit has none for a layer of that kind.
    """
    kind = unit.kernel_kind(layer)
    for generator in _GENERATORS[unit.family]:
        if kind in generator.kinds:
            return generator
    raise KeyError(layer.kind)


def unit_that_made(label: str, layer: Layer, unit: Unit) -> Unit | None:
    """The unit for which a layer's records are made by a generator, ``name/version``: itself, or what it was before it
    used an instruction more; None where neither is."""
    for candidate in (unit, *_EARLIER.get(unit.family, lambda _: ())(unit)):
        if label_of(generator_for(layer, candidate)) == label:
            return candidate
    return None


def multiply(product: Product, unit: Unit) -> tirx.PrimFunc | None:
    """A written kernel of a product of matrices; None where the unit has none for it."""
    writer = _WRITERS.get(unit.family)
    return None if writer is None else writer(product, unit)


def byte_values(values: ByteValues, unit: Unit) -> tirx.PrimFunc:
    """A written kernel from bytes to bytes, of a unit that keeps them."""
    return _BYTES[unit.family](values, unit)


def byte_table(table: np.ndarray, unit: Unit) -> np.ndarray:
    """A table of 256 bytes as such a kernel reads it."""
    return _TABLES[unit.family](table, unit)


def estimate_us(function: tirx.PrimFunc, layer: Layer | None, unit: Unit) -> float | None:
    """Microseconds that a scheduled kernel takes, roughly; None where the unit has a model of its own."""
    estimate = _ESTIMATES.get(unit.family)
    return None if estimate is None else estimate(function, layer, unit)


def schedule_plainly(function: tirx.PrimFunc, unit: Unit) -> tirx.PrimFunc:
    """The schedule of a kernel that no generator knows."""
    return _FALLBACKS[unit.family](function, unit)
