"""Values that are no dense tensors of numbers, and operators that compute none, or not the same twice."""

from onnx import ModelProto, TensorProto

from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.importer.refusals.where import refusal

_DENSE = "only dense tensors of numbers are compiled"
REASONS = {
    **dict.fromkeys(
        (
            *("ConcatFromSequence", "SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceErase"),
            *("SequenceInsert", "SequenceLength", "SequenceMap", "SplitToSequence"),
        ),
        f"is about a sequence of tensors, and {_DENSE}: use Split, Concat or Gather",
    ),
    **dict.fromkeys(
        ("Optional", "OptionalGetElement", "OptionalHasElement"),
        f"is about a value that may be missing, and {_DENSE}: take it out of the model",
    ),
    **dict.fromkeys(
        ("RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit", "TfIdfVectorizer", "ImageDecoder"),
        f"is about text or files, and {_DENSE}: do this before the network",
    ),
    **dict.fromkeys(
        ("GRU", "LSTM", "RNN"),
        "is recurrent, and only networks without recurrence are compiled: unroll it, or cut the network before it",
    ),
    **dict.fromkeys(
        ("Loop", "Scan"),
        "repeats a body, and only networks without loops are compiled: unroll it before the export",
    ),
    "If": "branches on the data, and both branches cannot be one network: export the branch that is wanted",
    **dict.fromkeys(
        ("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"),
        "draws random numbers, and a network computes the same from the same inputs: make them an input",
    ),
}


def refuse_kinds(model: ModelProto) -> None:
    """:raises UserError: an operator or a tensor is of a kind that is not compiled, or nothing is asked for."""
    if not model.graph.output:
        raise UserError("the model has no output: name one in its graph, or give --outputs")
    for node in model.graph.node:
        if node.op_type in REASONS:
            raise refusal(node, REASONS[node.op_type])
        strings = [a for a in node.attribute if a.name in ("value_string", "value_strings")]
        if strings or any(a.t.data_type == TensorProto.STRING for a in node.attribute):
            raise refusal(node, f"holds text, and {_DENSE}")
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.STRING:
            raise UserError(f"tensor {tensor.name!r} holds text, and {_DENSE}: take it out of the model")
    for value in model.graph.output:
        kind = value.type.WhichOneof("value")
        if kind not in (None, "tensor_type"):
            raise UserError(f"output {value.name!r} is a {kind.removesuffix('_type').replace('_', ' ')}, and {_DENSE}")
