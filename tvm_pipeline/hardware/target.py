"""A target as a request carries it, as the pipeline needs it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, Self, TypeAlias, TypeVar

import tvm

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.logs.choice_log import LoggedChoices
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.unit import Unit

_UNITS: dict[str, Callable[[Mapping[str, Any], str], Unit]] = {"cuda": GpuUnit.of_target}
"""What makes a target's unit, by its kind of TVM target; of any other kind it is a CPU's."""

UnitT = TypeVar("UnitT", bound=Unit, covariant=True)


@dataclass(frozen=True)
class Target(Generic[UnitT]):
    """A target as the front door resolved it.

    :ivar tvm: TVM's own target; a GPU's has its host's CPU as its host.
    :ivar logs: names of the targets whose tuning logs apply, its own first.
    :ivar zig_target: of the CPU, a GPU's host.
    :ivar compiler: the system's compiler that links modules; None for ziglang's.
    :ivar cpu_features: what the CPU, or the host's, must have, named as in the flags of /proc/cpuinfo.
    :ivar driver: the least branch of a GPU's driver that runs what is compiled.
    :ivar cpu: LLVM's name of the CPU whose tuning records are wanted; None: what serves all CPUs best.
    :ivar card: what the unit's figures are of: the first alias of its preset.
    """

    name: str
    tvm: tvm.target.Target
    unit: UnitT
    logs: tuple[str, ...]
    zig_target: str
    compiler: str | None = None
    cpu_features: tuple[str, ...] = ()
    driver: str | None = None
    cpu: str | None = None
    card: str = ""

    def with_cores(self, cores: int) -> tvm.target.Target:
        """TVM's target, which says how many cores of a CPU a kernel may use: MetaSchedule does not start without."""
        if self.unit.compute_capability is not None:
            return self.tvm
        return tvm.target.Target({**self.tvm.export(), "num-cores": cores})

    def with_choices(self, choices: LoggedChoices) -> Self:
        """The target, whose unit chooses between kernels by what was measured."""
        return replace(self, unit=self.unit.with_choices(choices))

    @staticmethod
    def from_json(values: Mapping[str, Any], dtype: str = "float32", threads: int = 1) -> "Target[Any]":
        """The target of a request's JSON.

        :param dtype: of activations and weights inside the network.
        :param threads: that share a kernel.
        :raises UserError: a GPU's target lacks figures of the GPU, or its host.
        """
        try:
            of_cpu = partial(VectorUnit.of_target, threads=threads)
            unit = _UNITS.get(values["tvm"]["kind"], of_cpu)(values, dtype)
        except ValueError as error:
            raise UserError(f"target {values['name']}: {error}") from error
        return Target(
            name=values["name"],
            tvm=tvm.target.Target(dict(values["tvm"])),
            unit=unit,
            logs=tuple(values.get("logs") or (values["name"],)),
            zig_target=str(values.get("toolchain") or f"{values['arch']}-linux-gnu"),
            compiler=values.get("compiler"),
            cpu_features=tuple(values.get("cpu_features") or ()),
            driver=values.get("driver"),
            cpu=values.get("cpu"),
            card=str(next(iter(values.get("aliases") or ()), values["name"])),
        )


CpuTarget: TypeAlias = Target[VectorUnit]
GpuTarget: TypeAlias = Target[GpuUnit]
AnyTarget: TypeAlias = Target[Any]
