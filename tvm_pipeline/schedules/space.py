"""A layer, a choice of decisions, and the schedule that they make."""

from collections.abc import Mapping
from dataclasses import dataclass

import tvm
from tvm.s_tir import Schedule
from tvm.s_tir.schedule import Trace

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.schedules import Decisions, Generator, Knobs, generator_for, is_inside
from tvm_pipeline.workloads import build_workload

Choice = tuple[int, ...]
"""The values of all knobs, in the generator's order: a point of the space."""


@dataclass(frozen=True)
class Space:
    """All choices of one layer."""

    layer: Layer
    generator: Generator
    unit: Unit
    knobs: Knobs

    @staticmethod
    def of(layer: Layer, unit: Unit) -> "Space":
        """Those of the layer's generator on a unit.

        :raises KeyError: the unit has none for a layer of that kind.
        """
        generator = generator_for(layer, unit)
        return Space(layer, generator, unit, generator.knobs(layer, unit))

    @property
    def default(self) -> Choice:
        """The generator's own, made without measuring."""
        choice = self.choice(self.generator.default(self.layer, self.unit))
        assert choice is not None
        return choice

    @property
    def size(self) -> int:
        size = 1
        for values in self.knobs.values():
            size *= len(values)
        return size

    def decisions(self, choice: Choice) -> Decisions:
        return dict(zip(self.knobs, choice, strict=True))

    def choice(self, decisions: Mapping[str, int]) -> Choice | None:
        """The point of these decisions; None where one is not in the space (any more)."""
        return tuple(int(decisions[name]) for name in self.knobs) if is_inside(decisions, self.knobs) else None

    def module(self) -> tvm.IRModule:
        """The unscheduled kernel as ``main``."""
        return tvm.IRModule({"main": build_workload(self.layer, self.unit).with_attr("global_symbol", "main")})

    def schedule(self, choice: Choice) -> Schedule:
        """The kernel scheduled by a choice, which its trace records as samples.

        :raises ScheduleError: the choice does not fit the kernel.
        :raises ValueError: its decisions do not fit each other.
        """
        schedule = Schedule(self.module())
        for value, values in zip(choice, self.knobs.values(), strict=True):
            even = [1.0 / len(values)] * len(values)
            schedule.sample_categorical(list(values), even, decision=values.index(value))
        self.generator.apply(schedule, self.layer, self.unit, self.decisions(choice))
        return schedule


def choice_of_trace(trace: Trace, space: Space) -> Choice | None:
    """The choice that a recorded trace was made with; None where the space has changed since."""
    chosen = []
    for instruction in trace.insts:
        if instruction.kind.name != "SampleCategorical":
            continue
        candidates = [int(value) for value in instruction.attrs[0]]
        chosen.append((tuple(candidates), candidates[int(trace.decisions[instruction])]))
    if [candidates for candidates, _ in chosen] != [tuple(values) for values in space.knobs.values()]:
        return None
    return tuple(value for _, value in chosen)
