"""Reads an ONNX file into Relax: spelled in one way, and after ONNX Runtime's basic simplifications."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import tvm

from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.importer.fault import fault_named
from tvm_pipeline.importer.normalise.editor import value_names
from tvm_pipeline.importer.normalise.normalise import normalise
from tvm_pipeline.importer.normalise.without_elements import fix_empty_tensors
from tvm_pipeline.importer.refusals.refuse import refuse_at_once, refuse_simplified


def load_model(path: Path, shapes: Mapping[str, Sequence[int]] | None) -> onnx.ModelProto:
    """The model with all input shapes fixed.

    :raises UserError: it cannot be read, or has a dynamic input that ``shapes`` does not name.
    """
    try:
        model = onnx.load(path)
    except Exception as error:
        raise UserError(f"{path} is not a readable ONNX file: export it again") from error
    if not model.graph.node:
        raise UserError(f"{path} holds no network: export it again")
    inputs = {value.name: value for value in _inputs(model)}
    for name in shapes or {}:
        if name not in inputs:
            raise UserError(f"{path.name} has no input {name!r} to give a shape: it is one of {', '.join(inputs)}")
    for name, value in inputs.items():
        _fix_shape(value, (shapes or {}).get(name))
    return model


def _inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The inputs that are no initialisers, which IR 3 lists too."""
    constants = {initializer.name for initializer in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constants]


def _fix_shape(value: onnx.ValueInfoProto, shape: Sequence[int] | None) -> None:
    tensor = value.type.tensor_type
    if shape is not None and not tensor.HasField("shape"):
        tensor.shape.dim.extend(onnx.TensorShapeProto.Dimension(dim_value=extent) for extent in shape)
    dimensions = tensor.shape.dim
    if shape is not None:
        if len(shape) != len(dimensions):
            raise UserError(f"input {value.name} has {len(dimensions)} dimensions, --shape gives {len(shape)}")
        for dimension, extent in zip(dimensions, shape, strict=True):
            dimension.Clear()
            dimension.dim_value = extent
    is_fixed = tensor.HasField("shape") and all(dimension.dim_value > 0 for dimension in dimensions)
    if not is_fixed:
        raise UserError(f"input {value.name} has a dynamic shape: give it, as in --shape {value.name}:1x3x224x224")


def tensor_names(path: Path) -> tuple[list[str], list[str]]:
    """What the file calls its inputs and its outputs, in order."""
    model = onnx.load(path, load_external_data=False)
    return [value.name for value in _inputs(model)], [value.name for value in model.graph.output]


_CLIPS_BIASES = "WeightBiasQuantization"
"""ONNX Runtime's optimisation of quantised networks that makes int32 of a float bias, and clips what is too large."""


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model simplified, once more where ONNX Runtime put function bodies into it that it did not fold."""
    simple = _simplify_once(model)
    is_whole = simple is model or all(node.op_type != "Shape" for node in simple.graph.node)
    return simple if is_whole else _simplify_once(simple)


def _simplify_once(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with constants folded, BatchNorm merged into convolutions and no-ops removed; unchanged where ONNX
    Runtime cannot take it."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as directory:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(directory) / "simplified.onnx")
        options.add_session_config_entry("session.disable_aot_function_inlining", "1")  # else bodies stay unfolded
        options.log_severity_level = 4
        try:
            onnxruntime.InferenceSession(
                model.SerializeToString(),
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=[_CLIPS_BIASES],
            )
            return onnx.load(options.optimized_model_filepath)
        except Exception:
            return model


def _name_nodes(model: onnx.ModelProto) -> None:
    """Names nodes without a name by what they make."""
    for node in model.graph.node:
        node.name = node.name or next(name for name in node.output if name)


def read_onnx(path: Path, shapes: Mapping[str, Sequence[int]] | None = None) -> onnx.ModelProto:
    """An ONNX file as the importer takes it: spelled in one way, simplified, every node with a name.

    :raises UserError: unreadable file, dynamic shape, or something in it that cannot be compiled.
    """
    from tvm_pipeline.importer.function_bodies import expand_functions
    from tvm_pipeline.importer.overrides import converted_operators
    from tvm_pipeline.importer.padding import explicit_padding

    model = load_model(path, shapes)
    names = set(value_names(model.graph))
    normalise(model)
    refuse_at_once(model)
    model = simplify(expand_functions(model, converted_operators()))
    refuse_simplified(model, names)
    fix_empty_tensors(model)
    explicit_padding(model)
    _name_nodes(model)
    return model


def convert(model: onnx.ModelProto) -> tvm.IRModule:
    """The Relax module of what ``read_onnx`` read; weights are constants in it.

    :raises UserError: an operator in a form that no converter takes; the line names its node.
    """
    from tvm.relax.frontend.onnx import from_onnx

    from tvm_pipeline.importer.overrides import importer_overrides

    with importer_overrides():
        return from_onnx(model, keep_params_in_input=False)


def import_onnx(path: Path, shapes: Mapping[str, Sequence[int]] | None = None) -> tvm.IRModule:
    """The Relax module of an ONNX file; weights are constants in it.

    :raises UserError: as ``read_onnx`` and ``convert`` do.
    """
    model = read_onnx(path, shapes)
    with fault_named(model, convert):
        return convert(model)
