"""Space generators: one file per kind of kernel; its knobs, a rule-based default, how to apply a choice."""

from tvm_pipeline.schedules.generator import Decisions, Generator, Knobs, is_inside, label_of
from tvm_pipeline.schedules.registry import generator_for

__all__ = ["Decisions", "Generator", "Knobs", "generator_for", "is_inside", "label_of"]
