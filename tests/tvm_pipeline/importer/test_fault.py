"""What TVM raises becomes a line that names the node it is due to."""

from __future__ import annotations

from itertools import pairwise

import pytest
from onnx import ModelProto
from onnx_network import Network

from mobilenet_tvm.base.errors import SystemFailure, UserError
from tvm_pipeline.importer.fault import fault_named, first_failing, reason_of


def _chain(*operators: str) -> ModelProto:
    network = Network()
    data = network.input([1, 4])
    for operator in operators:
        data = network.node(operator, data)
    return network.output(data).model()


def _attempt(model: ModelProto) -> None:
    """Something that does not take an Exp behind a Relu, as a fused kernel might not."""
    operators = [node.op_type for node in model.graph.node]
    if ("Relu", "Exp") in pairwise(operators):
        raise ValueError("no such kernel\n(... 3 lines skipped ...)")


def test_the_first_node_with_which_it_fails() -> None:
    model = _chain("Exp", "Relu", "Sqrt", "Relu", "Exp", "Neg", "Relu")
    assert first_failing(model, _attempt) == 4
    for operators, index in ((("Relu", "Exp"), 1), (("Sqrt", "Neg"), 1), (("Relu", "Exp", "Relu", "Exp"), 1)):
        assert first_failing(_chain(*operators), _attempt) == index


def test_every_part_computes_what_nobody_reads() -> None:
    seen = []
    network = Network()
    data = network.input([1, 4])
    side, other = network.node("Relu", data), network.node("Exp", data)
    model = network.output(network.node("Add", side, other)).model()

    def attempt(part: ModelProto) -> None:
        seen.append([value.name for value in part.graph.output])

    first_failing(model, attempt)
    assert [side, other] in seen


def test_a_line_names_operator_node_and_reason() -> None:
    model = _chain("Sqrt", "Relu", "Exp", "Neg")
    line = r"operator Exp \(node 'exp2'\) cannot be compiled.*ValueError: no such kernel"
    with pytest.raises(UserError, match=line), fault_named(model, _attempt):
        _attempt(model)


@pytest.mark.parametrize("error", [UserError("theirs"), SystemFailure("ours"), OSError("the disk's")])
def test_what_is_not_the_models_fault_passes(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)), fault_named(_chain("Relu"), _attempt):
        raise error


def test_the_reason_is_no_trace() -> None:
    text = "Traceback\n  File a.cc\nCheck failed: a == b\n\n(... 16 lines skipped ...)"
    assert reason_of(RuntimeError(text)) == "RuntimeError: Check failed: a == b"
    assert reason_of(KeyError()) == "KeyError"
