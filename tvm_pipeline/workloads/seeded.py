"""Seeded arguments of a kernel that its results depend on: what it is checked on."""

from collections.abc import Callable, Mapping

import numpy as np

from tvm_pipeline.hardware.stored import as_stored
from tvm_pipeline.workloads.workload import Workload

_BYTES: Mapping[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "data": lambda random, shape: random.integers(0, 256, shape),
    "weight": lambda random, shape: random.integers(-127, 128, shape),
    "bias": lambda random, shape: random.integers(-20000, 20000, shape),
    "scale": lambda random, shape: random.uniform(1e-4, 1e-2, shape),
    "quantisation": lambda _, __: np.array([117, 13, 0, 255]),
}
"""Of layers of bytes, by the names of their arguments (:mod:`tvm_pipeline.workloads.int8.layers`)."""


def seeded_arguments(workload: Workload) -> list[np.ndarray]:
    """The kernel's inputs in order: of floating point normally distributed, of bytes such as networks have."""
    random = np.random.default_rng(0)
    has_bytes = "uint8" in workload.dtypes
    values = []
    for tensor, shape, dtype in zip(workload.arguments, workload.shapes, workload.dtypes, strict=False):
        draw = _BYTES.get(tensor.op.name) if has_bytes else None
        drawn = random.standard_normal(shape, dtype=np.float32) if draw is None else draw(random, shape)
        values.append(as_stored(drawn, dtype))
    return values
