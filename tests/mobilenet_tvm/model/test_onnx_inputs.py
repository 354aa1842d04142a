from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.model.onnx_inputs import Shapes, parse_shapes, read_inputs


def _values(*values: onnx.ValueInfoProto) -> onnx.GraphProto:
    return helper.make_graph([], "network", list(values), [])


def _value(name: str, shape: list[int | str] | None, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _shapes(graph: onnx.GraphProto, shapes: Shapes | None = None) -> dict[str, tuple[int, ...]]:
    return {tensor.name: tensor.shape for tensor in read_inputs(Path("net.onnx"), graph, shapes or {})}


def test_several_inputs_of_any_dtype() -> None:
    kinds = {
        "bool": TensorProto.BOOL,
        "int64": TensorProto.INT64,
        "uint8": TensorProto.UINT8,
        "float16": TensorProto.FLOAT16,
        "float32": TensorProto.FLOAT,
        "float64": TensorProto.DOUBLE,
    }
    graph = _values(*(_value(f"x.{name}", [2, 3], kind) for name, kind in kinds.items()))
    read = read_inputs(Path("net.onnx"), graph, {})
    assert {tensor.name: tensor.dtype for tensor in read} == {f"x.{name}": name for name in kinds}


def test_an_initialiser_is_no_input_and_a_scalar_is_one() -> None:
    graph = _values(_value("x", []), _value("w", [3]))
    graph.initializer.append(helper.make_tensor("w", TensorProto.FLOAT, [3], [1, 2, 3]))
    assert _shapes(graph) == {"x": ()}


@pytest.mark.parametrize("dynamic", ["N", 0, -1])
def test_a_dynamic_dimension_is_named_zero_or_negative(dynamic: int | str) -> None:
    graph = _values(_value("input.1", [dynamic, 3, 16, 16]))
    with pytest.raises(UserError, match=r"give --shape input\.1:1x3x16x16"):
        _shapes(graph)
    assert _shapes(graph, {"input.1": [2, 3, 16, 16]}) == {"input.1": (2, 3, 16, 16)}


def test_an_input_without_a_rank_takes_any_shape() -> None:
    graph = _values(_value("x", None))
    with pytest.raises(UserError, match=r"'x' \(of unknown rank\): give --shape x:1x3x224x224"):
        _shapes(graph)
    assert _shapes(graph, {"x": [4, 5]}) == {"x": (4, 5)}


@pytest.mark.parametrize("shape", [[1, 3, 16], [1, 3, 17, 16]])
def test_a_shape_that_does_not_fit(shape: list[int]) -> None:
    with pytest.raises(UserError, match="does not fit input 'input', which is Nx3x16x16"):
        _shapes(_values(_value("input", ["N", 3, 16, 16])), {"input": shape})


def test_a_shape_for_an_input_that_is_not_there() -> None:
    with pytest.raises(UserError, match="no input 'data'; its input is 'input'"):
        _shapes(_values(_value("input", [1])), {"data": [1]})
    with pytest.raises(UserError, match="no input 'data'; its inputs are 'a', 'b'"):
        _shapes(_values(_value("a", [1]), _value("b", [1])), {"data": [1]})


def test_what_no_npy_file_holds_is_refused() -> None:
    with pytest.raises(UserError, match="input 'text' is string"):
        _shapes(_values(_value("text", [1], TensorProto.STRING)))
    sequence = helper.make_tensor_sequence_value_info("many", TensorProto.FLOAT, [1])
    with pytest.raises(UserError, match="input 'many' is a sequence"):
        _shapes(_values(sequence))
    with pytest.raises(UserError, match="has no input"):
        _shapes(_values())


def test_parse_shapes() -> None:
    assert parse_shapes(["a:b:1x3x2x2"]) == {"a:b": [1, 3, 2, 2]}
    for wrong in ("1x3", "x:", "x:1xax3", "x:0x3"):
        with pytest.raises(UserError, match="is not NAME:DIMxDIM"):
            parse_shapes([wrong])
