"""A two-way in-order core: llvm-mca's own makes every instruction wait until those before it can write back, which the
Cortex-A53 does not (a load behind a multiply-add would cost six cycles more than it does)."""

import math
from collections.abc import Sequence

from tvm_pipeline.backends.arm_model.mca import Timing
from tvm_pipeline.backends.arm_model.operands import operands_of

WIDTH = 2
_UNITS = {"memory": 1, "vector": 1, "branch": 1, "integer": 2}
_BASE_LATENCY = 1
"""Cycles until an address register that an access moves on can be used."""


def in_order_cycles(block: Sequence[Timing], warm_up: int, iterations: int) -> float:
    """Cycles per iteration of a block that is repeated, those after the first ``warm_up`` iterations.

    An instruction issues once its operands are there and its unit is free; two do in a cycle, unless one of them is an
    access of 128 bits. Latencies and how long a unit is taken are LLVM's.
    """
    prepared = [(timing, operands_of(timing.text)) for timing in block]
    ready: dict[str, int] = {}
    free = dict.fromkeys(_UNITS, 0.0)
    cycle = slots = started = 0
    for iteration in range(iterations):
        if iteration == warm_up:
            started = cycle
        for timing, operands in prepared:
            needed = max((ready.get(register, 0) for register in operands.reads), default=0)
            needed = max(needed, math.floor(free[operands.unit]))
            if needed > cycle:
                cycle, slots = needed, 0
            if slots == WIDTH or (operands.is_wide and slots):
                cycle, slots = cycle + 1, 0
            slots = WIDTH if operands.is_wide else slots + 1
            taken = timing.occupancy / (_UNITS[operands.unit] if timing.occupancy >= 1 else 1)
            free[operands.unit] = max(free[operands.unit], float(cycle)) + taken
            for register in operands.writes:
                ready[register] = cycle + timing.latency
            if operands.base is not None:
                ready[operands.base] = cycle + _BASE_LATENCY
    return (cycle - started) / (iterations - warm_up)
