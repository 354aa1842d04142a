"""Space generators: one file per kind of kernel; its knobs, a rule-based default, how to apply a choice."""

from tvm_pipeline.schedules.generator import Decisions, Generator, Knobs, Unit, VectorUnit, is_inside
from tvm_pipeline.schedules.registry import generator_for, generator_named

__all__ = ["Decisions", "Generator", "Knobs", "Unit", "VectorUnit", "generator_for", "generator_named", "is_inside"]
