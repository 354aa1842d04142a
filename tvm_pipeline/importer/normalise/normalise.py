"""The changes that every model passes between its file and TVM's importer, in their order."""

from collections.abc import Callable

from onnx import ModelProto

from tvm_pipeline.importer.normalise.functions import inline_functions
from tvm_pipeline.importer.normalise.initialisers import constants_to_initialisers, initialisers_are_no_inputs
from tvm_pipeline.importer.normalise.names import inputs_are_identifiers
from tvm_pipeline.importer.normalise.outputs import drop_unread_results, forget_declared_shapes, own_outputs
from tvm_pipeline.importer.normalise.qoperators import qoperators_to_qdq
from tvm_pipeline.importer.normalise.signed_bytes import signed_bytes_to_unsigned
from tvm_pipeline.importer.normalise.upgrade import upgrade

CHANGES: tuple[Callable[[ModelProto], None], ...] = (
    inline_functions,
    constants_to_initialisers,
    initialisers_are_no_inputs,
    forget_declared_shapes,
    inputs_are_identifiers,
    own_outputs,
    drop_unread_results,
    qoperators_to_qdq,
    signed_bytes_to_unsigned,
    upgrade,
)


def normalise(model: ModelProto) -> None:
    """Spell a model in the one way that the importer reads right, in place; it computes the same."""
    for change in CHANGES:
        change(model)
