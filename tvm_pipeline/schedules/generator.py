"""What every space generator offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.gpu import GpuUnit

Knobs = Mapping[str, tuple[int, ...]]
"""Per decision the values that it may take."""

Decisions = Mapping[str, int]
"""Per decision the value chosen."""


def is_inside(decisions: Decisions, knobs: Knobs) -> bool:
    """Whether the decisions are a point of the space: one that is known, for every knob."""
    return set(decisions) == set(knobs) and all(decisions[name] in values for name, values in knobs.items())


@dataclass(frozen=True)
class VectorUnit:
    """The part of a CPU that a schedule is cut for: float32 lanes per vector, and architectural vector registers."""

    lanes: int
    registers: int


Unit: TypeAlias = VectorUnit | GpuUnit
"""What a schedule is cut for."""

UnitT = TypeVar("UnitT", contravariant=True)


class UnitGenerator(Protocol[UnitT]):
    """A family of schedules for some kinds of layer on one kind of unit.

    ``version`` is raised when the meaning of a decision changes: older log lines then no longer apply.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def kinds(self) -> tuple[str, ...]: ...

    def knobs(self, layer: Layer, unit: UnitT) -> Knobs:
        """The space to choose from."""
        ...

    def default(self, layer: Layer, unit: UnitT) -> Decisions:
        """The choice of a rule, made without measuring."""
        ...

    def is_sensible(self, layer: Layer, unit: UnitT, decisions: Decisions) -> bool:
        """Whether a choice is worth measuring: it must not spill registers, nor starve the multiply-add units."""
        ...

    def apply(self, schedule: Schedule, layer: Layer, unit: UnitT, decisions: Decisions) -> None:
        """Schedules the layer's kernel in place. Raises ScheduleError where the decisions do not fit the kernel."""
        ...


Generator: TypeAlias = UnitGenerator[Any]
"""A generator beside the unit that it was chosen for."""
