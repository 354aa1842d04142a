"""The part of a GPU that a schedule is cut for, and that its time is estimated from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

DTYPES = ("float32", "float16")


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

    @staticmethod
    def from_json(values: Mapping[str, Any], dtype: str = "float32") -> "GpuUnit":
        """A preset's ``[gpu]`` table. Raises ValueError where a figure is missing, unknown, or the dtype is."""
        if dtype not in DTYPES:
            raise ValueError(f"a GPU's packages have dtype {' or '.join(DTYPES)}, not {dtype}")
        figures = {field.name: field.type for field in fields(GpuUnit) if field.name != "dtype"}
        if wrong := sorted(set(values) ^ set(figures)):
            raise ValueError(f"[gpu] must have exactly the figures {', '.join(figures)}: see {', '.join(wrong)}")
        return GpuUnit(**{name: figures[name](value) for name, value in values.items()}, dtype=dtype)  # type: ignore[operator]
