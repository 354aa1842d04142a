from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.model.onnx_check import check_onnx

Network = Callable[..., onnx.ModelProto]


def _saved(model: onnx.ModelProto, folder: Path, **options: object) -> Path:
    path = folder / "model.onnx"
    onnx.save(model, path, **options)
    return path


def test_a_good_file(tiny_onnx: Path) -> None:
    (tensor,) = check_onnx(tiny_onnx)
    assert (tensor.name, tensor.shape, tensor.dtype) == ("input", (1, 3, 16, 16), "float32")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no file .*gone\.onnx"):
        check_onnx(tmp_path / "gone.onnx")


@pytest.mark.parametrize("content", [b"", b"hello, world\n" * 40, b"\x89PNG\r\n\x1a\n" + bytes(200), bytes(500)])
def test_not_onnx(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is not an ONNX file"):
        check_onnx(path)


def test_truncated_anywhere(tmp_path: Path, tiny_onnx: Path) -> None:
    data = tiny_onnx.read_bytes()
    path = tmp_path / "model.onnx"
    for length in [*range(4, len(data) - 1, 97), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(UserError, match="truncated"):
            check_onnx(path)


def test_a_tensor_that_is_not_whole(tmp_path: Path, make_network: Network) -> None:
    model = make_network()
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-4]
    with pytest.raises(UserError, match=r"'conv\.weight' is not whole"):
        check_onnx(_saved(model, tmp_path))


def test_external_data_beside_the_model(tmp_path: Path, make_network: Network) -> None:
    path = _saved(make_network(), tmp_path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert check_onnx(path)[0].shape == (1, 3, 16, 16)
    (tmp_path / "weights.bin").write_bytes((tmp_path / "weights.bin").read_bytes()[:-8])
    with pytest.raises(UserError, match=r"weights\.bin is truncated"):
        check_onnx(path)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(UserError, match=r"weights\.bin', which is not beside the model"):
        check_onnx(path)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "link.bin"])
def test_external_data_outside_the_folder(tmp_path: Path, make_network: Network, location: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(100_000))
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    model = make_network()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="outside the model's folder"):
        check_onnx(path)


def test_a_float64_weight(tmp_path: Path, make_network: Network) -> None:
    model = make_network(dtype=np.float64)
    with pytest.raises(UserError, match=r"Conv 'conv' has a float64 weight 'conv\.weight' on a float32 input"):
        check_onnx(_saved(model, tmp_path))


def test_float64_throughout(tmp_path: Path, make_network: Network) -> None:
    model = make_network(dtype=np.float64)
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    for tensor in (*model.graph.initializer, *model.graph.output):
        if isinstance(tensor, TensorProto) and tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    assert check_onnx(_saved(model, tmp_path))[0].dtype == "float64"


def test_what_breaks_onnxs_own_rules(tmp_path: Path, make_network: Network) -> None:
    model = make_network()
    model.graph.node[0].op_type = "Convolve"
    with pytest.raises(UserError, match=r"is not valid ONNX: .*Convolve"):
        check_onnx(_saved(model, tmp_path))
