"""Whether an ONNX file can be compiled, found out before anything heavy starts."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.model.onnx_inputs import Shapes, read_inputs

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

_KERNEL_OPS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def _parse(path: Path) -> ModelProto:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    # Field 1 is the IR version, a small number: what begins so was ONNX once.
    looks_right = len(data) > 2 and data[0] == 0x08 and data[1] < 0x40
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        what = "is a truncated or damaged ONNX file" if looks_right else "is not an ONNX file"
        raise UserError(f"{path} {what}: export it again") from error
    if looks_right and model.ir_version and not (model.HasField("graph") and model.opset_import):
        raise UserError(f"{path} is a truncated ONNX file: export it again")
    if not looks_right or not model.graph.node:
        raise UserError(f"{path} is not an ONNX file: it holds no network")
    return model


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    for graph in _graphs(model.graph):
        yield from graph.initializer
        for node in graph.node:
            yield from (attribute.t for attribute in node.attribute if attribute.HasField("t"))


def _bytes_needed(tensor: TensorProto) -> int:
    import onnx

    if tensor.data_type in (onnx.TensorProto.INT4, onnx.TensorProto.UINT4):
        return (int(prod(tensor.dims)) + 1) // 2
    itemsize: int = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    return int(prod(tensor.dims)) * itemsize


def _check_external(path: Path, tensor: TensorProto) -> None:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    folder = path.resolve().parent
    file = (folder / location).resolve()
    if not location or Path(location).is_absolute() or not file.is_relative_to(folder):
        raise UserError(f"{path}: tensor {tensor.name!r} lies in {location!r}, outside the model's folder")
    if not file.is_file():
        raise UserError(f"{path}: tensor {tensor.name!r} lies in {location!r}, which is not beside the model")
    length = int(entries.get("length") or _bytes_needed(tensor))
    if int(entries.get("offset") or 0) + length > file.stat().st_size or length < _bytes_needed(tensor):
        raise UserError(f"{path}: {location} is truncated: tensor {tensor.name!r} is not whole")


def _check_tensor(path: Path, tensor: TensorProto) -> None:
    import onnx

    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        _check_external(path, tensor)
    elif tensor.HasField("raw_data"):
        if len(tensor.raw_data) < _bytes_needed(tensor):
            raise UserError(f"{path}: tensor {tensor.name!r} is not whole; the file is truncated: export it again")
    elif tensor.data_type != onnx.TensorProto.STRING:
        field = onnx.helper.tensor_dtype_to_field(tensor.data_type)
        if prod(tensor.dims) and not getattr(tensor, field):
            raise UserError(f"{path}: tensor {tensor.name!r} holds no data: export it again")


def _types(model: ModelProto) -> dict[str, int]:
    """The element types of all tensors, as far as inference knows."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    types = {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.value_info)}
    return types | {tensor.name: tensor.data_type for tensor in graph.initializer}


def _check_types(path: Path, model: ModelProto) -> None:
    """onnx.checker lets a float64 weight on a float32 input pass, and TVM's importer then ends in a long trace."""
    import onnx

    double, single = onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT
    if double not in {tensor.data_type for tensor in _tensors(model)}:
        return
    types = _types(model)
    for node in model.graph.node:
        of_node = {name: types.get(name) for name in node.input}
        if node.op_type in _KERNEL_OPS and single in of_node.values() and double in of_node.values():
            name = next(name for name, kind in of_node.items() if kind == double)
            raise UserError(
                f"{path}: {_call(node)} has a float64 weight {name!r} on a float32 input: export it as float32"
            )


def _call(node: NodeProto) -> str:
    return f"{node.op_type} {node.name!r}" if node.name else node.op_type


def _check_rules(path: Path, model: ModelProto) -> None:
    """ONNX's own rules, but that inputs and outputs must declare their rank."""
    import onnx

    ranked = _ranked(model)
    try:
        onnx.checker.check_model(str(path) if ranked is None else ranked)  # by its path, external data is found
    except onnx.checker.ValidationError as error:
        raise UserError(f"{path} is not valid ONNX: {str(error).splitlines()[0]}") from error


def _ranked(model: ModelProto) -> ModelProto | None:
    """A copy whose inputs and outputs have a rank, and no data outside the file; None where all have one."""
    import onnx

    unranked = [value for value in (*model.graph.input, *model.graph.output) if _lacks_rank(value)]
    if not unranked:
        return None
    ranked = onnx.ModelProto()
    ranked.CopyFrom(model)
    for value in (*ranked.graph.input, *ranked.graph.output):
        if _lacks_rank(value):
            value.type.tensor_type.shape.SetInParent()
    for tensor in _tensors(ranked):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            tensor.CopyFrom(onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=[0]))
    return ranked


def _lacks_rank(value: ValueInfoProto) -> bool:
    return value.type.HasField("tensor_type") and not value.type.tensor_type.HasField("shape")


def check_onnx(path: Path, shapes: Shapes | None = None) -> tuple[OnnxInput, ...]:
    """Check a file and return its inputs.

    :param shapes: the shapes of dynamic inputs, by their names.
    :raises UserError: it is missing, is not ONNX or not whole, has data outside its folder, a dynamic shape that
        ``shapes`` does not fix, a float64 weight, or breaks ONNX's rules.
    """
    if not path.is_file():
        raise UserError(f"no file {path}")
    model = _parse(path)
    for tensor in _tensors(model):
        _check_tensor(path, tensor)
    _check_types(path, model)
    inputs = read_inputs(path, model.graph, shapes or {})
    _check_rules(path, model)
    return inputs
