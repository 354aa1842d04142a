"""What the pipeline needs to know of a resolved target."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tvm

from tvm_pipeline.schedules.generator import VectorUnit

_REGISTERS = {512: 32, 256: 16, 128: 32}
"""Architectural vector registers by vector width: AVX-512, AVX2, NEON."""


@dataclass(frozen=True)
class CpuTarget:
    """A target as the front door resolved it.

    :ivar logs: names of the targets whose tuning logs apply, its own first.
    :ivar compiler: the system's compiler that links modules; None for ziglang's.
    :ivar cpu_features: what a CPU must have, named as in the flags of /proc/cpuinfo.
    """

    name: str
    tvm: tvm.target.Target
    unit: VectorUnit
    logs: tuple[str, ...]
    zig_target: str
    compiler: str | None = None
    cpu_features: tuple[str, ...] = ()

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> "CpuTarget":
        bits = int(values["vector_bits"])
        return CpuTarget(
            name=values["name"],
            tvm=tvm.target.Target(dict(values["tvm"])),
            unit=VectorUnit(lanes=bits // 32, registers=_REGISTERS[bits]),
            logs=tuple(values.get("logs") or (values["name"],)),
            zig_target=str(values.get("toolchain") or f"{values['arch']}-linux-gnu"),
            compiler=values.get("compiler"),
            cpu_features=tuple(values.get("cpu_features") or ()),
        )
