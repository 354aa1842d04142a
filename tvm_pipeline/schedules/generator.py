"""What every space generator offers."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer

Knobs = Mapping[str, tuple[int, ...]]
"""Per decision the values that it may take."""

Decisions = Mapping[str, int]
"""Per decision the value chosen."""


def is_inside(decisions: Decisions, knobs: Knobs) -> bool:
    """Whether the decisions are a point of the space: one that is known, for every knob."""
    return set(decisions) == set(knobs) and all(decisions[name] in values for name, values in knobs.items())


def divisors(extent: int, largest: int) -> tuple[int, ...]:
    """Tile sizes that leave no remainder: all divisors of ``extent`` up to ``largest``, ascending."""
    return tuple(size for size in range(1, min(extent, largest) + 1) if extent % size == 0)


UnitT = TypeVar("UnitT", contravariant=True)


class UnitGenerator(Protocol[UnitT]):
    """A family of schedules for some kinds of kernel (``Unit.kernel_kind``) on one family of units.

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
        """Schedules the layer's kernel in place.

        :raises ScheduleError: the decisions do not fit the kernel.
        :raises ValueError: they do not fit each other.
        """
        ...


Generator: TypeAlias = UnitGenerator[Any]
"""A generator beside the unit that it was chosen for."""


def label_of(generator: Generator) -> str:
    """``name/version``, as logs and manifests spell it."""
    return f"{generator.name}/{generator.version}"
