"""Which node a failure is due to, where TVM takes the nodes one by one and fails on what becomes of them."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from onnx import ModelProto, NodeProto, TypeProto, helper

from mobilenet_tvm.base.errors import SystemFailure, UserError
from tvm_pipeline.importer.normalise.editor import replace_all, values_read
from tvm_pipeline.importer.refusals.where import refusal

Attempt = Callable[[ModelProto], object]
"""Does with a model what failed."""
_NOT_THE_MODELS = (UserError, SystemFailure, OSError, MemoryError)


@contextmanager
def fault_named(model: ModelProto, attempt: Attempt) -> Iterator[None]:
    """Within it, what TVM raises becomes a line that names a node of the model.

    :raises UserError: something was raised that the model is to blame for.
    """
    try:
        yield
    except _NOT_THE_MODELS:
        raise
    except Exception as error:
        node = model.graph.node[first_failing(model, attempt)]
        raise refusal(node, f"cannot be compiled after what is before it ({reason_of(error)}): replace it") from error


def reason_of(error: Exception) -> str:
    """What an exception of TVM's says: the last line that is none of its traces."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith(("...", "(...", "File ", "[", "Stack"))]
    return f"{type(error).__name__}: {said[-1]}"[:200] if said else type(error).__name__


def first_failing(model: ModelProto, attempt: Attempt) -> int:
    """The index of the first node with which the model up to it fails; the last one's where only the whole fails."""
    nodes = model.graph.node
    return bisect_left(range(len(nodes) - 1), True, key=lambda last: _fails(_up_to(model, last), attempt))


def _fails(model: ModelProto, attempt: Attempt) -> bool:
    try:
        attempt(model)
    except Exception:
        return True
    return False


def _up_to(model: ModelProto, last: int) -> ModelProto:
    """The model's first nodes; the outputs are all results that none of them reads."""
    prefix = ModelProto()
    prefix.CopyFrom(model)
    graph = prefix.graph
    kept: list[NodeProto] = list(graph.node)[: last + 1]
    replace_all(graph.node, kept)
    del graph.output[:]
    read = values_read(graph)
    ends = [name for node in kept for name in node.output if name and name not in read]
    graph.output.extend(helper.make_value_info(name, TypeProto()) for name in ends)
    return prefix
