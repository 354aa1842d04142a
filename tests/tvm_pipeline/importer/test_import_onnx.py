"""ONNX files that cannot be compiled: one line says which, where and what would be right."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import helper
from onnx_network import Network

from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.importer.import_onnx import import_onnx


def _convolution(*shape: int | str) -> Network:
    network = Network()
    return network.output(network.conv(network.input(list(shape)), 3, 8, 3))


def test_good_file_becomes_a_function_of_its_inputs(tmp_path: Path) -> None:
    module = import_onnx(_convolution(1, 3, 8, 8).save(tmp_path / "good.onnx"))
    assert [parameter.name for parameter in module["main"].params] == ["input"]


def test_operator_that_tvm_lacks_is_named_with_its_node(tmp_path: Path) -> None:
    network = _convolution(1, 3, 8, 8)
    name = network.node("LSTM", network.outputs[0], network.constant(0.0), network.constant(0.0), hidden_size=4)
    with pytest.raises(UserError, match=rf"operator LSTM \(node '{name}'\)"):
        import_onnx(network.save(tmp_path / "model.onnx"))


def test_operator_of_an_unknown_domain_is_named_with_its_node(tmp_path: Path) -> None:
    network = _convolution(1, 3, 8, 8)
    model = network.model()
    model.opset_import.append(helper.make_opsetid("org.example", 1))
    model.graph.node.append(helper.make_node("Relu", network.outputs, ["made"], "theirs", domain="org.example"))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(UserError, match=r"operator Relu \(node 'theirs'\)"):
        import_onnx(tmp_path / "model.onnx")


def test_node_without_a_name_is_named_by_its_result(tmp_path: Path) -> None:
    network = _convolution(1, 3, 8, 8)
    network.nodes.append(helper.make_node("Einsum2", network.outputs, ["made"]))
    with pytest.raises(UserError, match="the node that makes 'made'"):
        import_onnx(network.save(tmp_path / "model.onnx"))


@pytest.mark.parametrize("shape", [("N", 3, 8, 8), (1, 3, "height", 8), (0, 3, 8, 8), (-1, 3, 8, 8)])
def test_dynamic_shape_asks_for_shape(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    with pytest.raises(UserError, match=r"input input has a dynamic shape: .* --shape input:1x3x224x224"):
        import_onnx(_convolution(*shape).save(tmp_path / "model.onnx"))


def test_given_shape_takes_the_place_of_a_dynamic_one(tmp_path: Path) -> None:
    path = _convolution(-1, 3, "H", "?").save(tmp_path / "model.onnx")
    module = import_onnx(path, {"input": [2, 3, 12, 10]})
    assert [int(extent) for extent in module["main"].params[0].ty.shape] == [2, 3, 12, 10]


def test_shape_of_another_rank_is_refused(tmp_path: Path) -> None:
    path = _convolution("N", 3, 8, 8).save(tmp_path / "model.onnx")
    with pytest.raises(UserError, match="input input has 4 dimensions, --shape gives 3"):
        import_onnx(path, {"input": [3, 8, 8]})


def test_shape_of_an_input_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = _convolution(1, 3, 8, 8).save(tmp_path / "model.onnx")
    with pytest.raises(UserError, match=r"no input 'image'.* it is one of input"):
        import_onnx(path, {"image": [1, 3, 8, 8]})


def test_shape_that_the_network_cannot_take_is_refused(tmp_path: Path) -> None:
    path = _convolution("N", 3, 8, 8).save(tmp_path / "model.onnx")
    with pytest.raises(UserError):
        import_onnx(path, {"input": [1, 5, 8, 8]})


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x00" * 100])
def test_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"model\.onnx"):
        import_onnx(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"model\.onnx"):
        import_onnx(tmp_path / "model.onnx")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_truncated_file_is_refused(tmp_path: Path, kept: float) -> None:
    path = _convolution(1, 3, 8, 8).save(tmp_path / "model.onnx")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(UserError, match=r"model\.onnx"):
        import_onnx(path)


def test_weights_of_another_type_than_the_input_are_refused(tmp_path: Path) -> None:
    network = _convolution(1, 3, 8, 8)
    model = network.model()
    weight = next(one for one in model.graph.initializer if len(one.dims) == 4)
    wide = onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight).astype("float64"), weight.name)
    weight.CopyFrom(wide)
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(UserError, match=r"operator Conv \(node 'conv0'\)"):
        import_onnx(tmp_path / "model.onnx")
