"""All reasons for which a model is refused, in two tables: what shows at once, and what is left of simplification."""

from collections.abc import Callable, Collection

from onnx import ModelProto

from tvm_pipeline.importer.refusals.ambiguous import refuse_ambiguous
from tvm_pipeline.importer.refusals.data_shapes import refuse_data_shapes
from tvm_pipeline.importer.refusals.foreign import refuse_foreign
from tvm_pipeline.importer.refusals.kinds import refuse_kinds
from tvm_pipeline.importer.refusals.operators import refuse_unconverted
from tvm_pipeline.importer.refusals.quantised import refuse_quantised
from tvm_pipeline.importer.refusals.training import refuse_training

AT_ONCE: tuple[Callable[[ModelProto], None], ...] = (refuse_foreign, refuse_training, refuse_quantised)
"""ONNX Runtime's simplification cannot load the first kind, takes the second for evaluation, and folds the third."""
SIMPLIFIED: tuple[Callable[[ModelProto], None], ...] = (refuse_kinds, refuse_unconverted, refuse_ambiguous)
"""A branch on a constant is gone by then, and whatever nobody reads."""


def refuse_at_once(model: ModelProto) -> None:
    """:raises UserError: see :data:`AT_ONCE`."""
    for refuse in AT_ONCE:
        refuse(model)


def refuse_simplified(model: ModelProto, names: Collection[str]) -> None:
    """:raises UserError: see :data:`SIMPLIFIED`, or a shape depends on the data.

    :param names: of the tensors in the user's file, which ``--outputs`` may name.
    """
    for refuse in SIMPLIFIED:
        refuse(model)
    refuse_data_shapes(model, names)
