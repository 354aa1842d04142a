"""A module as ONNX bytes: the same bytes for the same module, checked.

PyTorch has two exporters. The one that traces (TorchScript) takes half a second for MobileNetV1; the newer one
(``dynamo=True``) takes eight, three of which go into importing onnxscript, and gives a graph of the same layers. So the
tracing one comes first, and the newer one takes what the other cannot. Tracing bakes a branch on the data into the
graph; ``frontend.export`` watches for those, and runs every file on an input that the trace did not see.
"""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import onnx
import torch
from torch import nn

from frontend.padding import spell_out_padding
from mobilenet_tvm.base.answers import NOTES_KEY, FileNotes
from mobilenet_tvm.base.errors import UserError

OPSET = 20
Inputs = Mapping[str, torch.Tensor]
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@contextmanager
def _silence() -> Iterator[None]:
    """Without the exporters' deprecation notices and progress lines."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _trace(module: nn.Module, inputs: Inputs, outputs: Sequence[str]) -> onnx.ModelProto:
    buffer = io.BytesIO()
    torch.onnx.export(
        module,
        tuple(inputs.values()),
        buffer,  # type: ignore[arg-type]  # a stream is documented, and only this exporter takes one
        dynamo=False,
        opset_version=OPSET,
        input_names=list(inputs),
        output_names=list(outputs),
        training=torch.onnx.TrainingMode.EVAL,
    )
    return onnx.load_model_from_string(buffer.getvalue())


def _capture(module: nn.Module, inputs: Inputs, outputs: Sequence[str]) -> onnx.ModelProto:
    program = torch.onnx.export(
        module,
        tuple(inputs.values()),
        dynamo=True,
        verbose=False,
        opset_version=OPSET,
        input_names=list(inputs),
        output_names=list(outputs),
    )
    assert program is not None
    return program.model_proto


def to_onnx(module: nn.Module, inputs: Inputs, outputs: Sequence[str], name: str, notes: FileNotes) -> bytes:
    """Serialise ``module`` for inputs of exactly these shapes.

    :param inputs: by the names that they get, in the order of ``forward``'s parameters.
    :param outputs: the names that the outputs get.
    :param name: the graph's name.
    :param notes: what the file says of itself.
    :raises UserError: neither exporter can express the module.
    """
    with _silence(), torch.no_grad():
        try:
            model = _trace(module, inputs, outputs)
        except Exception as first:  # what the tracing exporter raises has no common class
            try:
                model = _capture(module, inputs, outputs)
            except Exception as second:
                reasons = f"{_first_line(first)}; with dynamo=True: {_first_line(second)}"
                raise UserError(f"PyTorch cannot export {name} to ONNX: {reasons}") from second
    _normalise(model, name)
    spell_out_padding(model.graph)
    model.metadata_props.add(key=NOTES_KEY, value=json.dumps(notes.to_json()))
    onnx.checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _first_line(error: Exception) -> str:
    lines = _COLOUR.sub("", str(error)).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def _normalise(model: onnx.ModelProto, name: str) -> None:
    """Name the graph, drop what tells of the exporting machine, and let nodes read shared weights directly.

    Where two weights are equal the tracing exporter keeps one and puts Identity nodes in front of the other's users.
    """
    graph = model.graph
    graph.name = name
    graph.doc_string = model.doc_string = ""
    del model.metadata_props[:]
    del graph.metadata_props[:]
    weights = {weight.name for weight in graph.initializer}
    outputs = {output.name for output in graph.output}
    same_as: dict[str, str] = {}
    kept = []
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
        node.input[:] = [same_as.get(value, value) for value in node.input]
        if node.op_type == "Identity" and node.input[0] in weights and node.output[0] not in outputs:
            same_as[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)
    for value in graph.value_info:
        del value.metadata_props[:]
