"""What the pipeline needs to know of a resolved target that is a GPU."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tvm

from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.hardware.gpu import GpuUnit


@dataclass(frozen=True)
class GpuTarget:
    """A GPU and its host as the front door resolved them: CpuTarget's fields, with a GPU's unit.

    :ivar tvm: ``cuda`` with the host's CPU as its host.
    :ivar logs: names of the targets whose tuning logs apply, its own first.
    :ivar zig_target: of the host.
    :ivar compiler: the system's compiler that links modules; None for ziglang's.
    :ivar cpu_features: what the host's CPU must have, named as in the flags of /proc/cpuinfo.
    :ivar driver: the least branch of the driver that runs what is compiled.
    :ivar card: the GPU whose figures the unit holds, by the first alias of its preset.
    """

    name: str
    tvm: tvm.target.Target
    unit: GpuUnit
    logs: tuple[str, ...]
    zig_target: str
    compiler: str | None = None
    cpu_features: tuple[str, ...] = ()
    driver: str | None = None
    card: str = ""

    @staticmethod
    def from_json(values: Mapping[str, Any], dtype: str = "float32") -> "GpuTarget":
        """Raises UserError where the target lacks the GPU's figures or its host."""
        tvm_values = dict(values["tvm"])
        if not isinstance(tvm_values.get("host"), Mapping):
            raise UserError(f"target {values['name']}: [tvm] of kind cuda lacks its host: add a table [tvm.host]")
        try:
            unit = GpuUnit.from_json(values.get("gpu") or {}, dtype)
        except ValueError as error:
            raise UserError(f"target {values['name']}: {error}") from error
        return GpuTarget(
            name=values["name"],
            tvm=tvm.target.Target(tvm_values),
            unit=unit,
            logs=tuple(values.get("logs") or (values["name"],)),
            zig_target=str(values.get("toolchain") or f"{values['arch']}-linux-gnu"),
            compiler=values.get("compiler"),
            cpu_features=tuple(values.get("cpu_features") or ()),
            driver=values.get("driver"),
            card=str(next(iter(values.get("aliases") or ()), values["name"])),
        )
