"""Exporting as a user does: the file, what is said about it, and what is left behind when it goes wrong."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from export_jobs import export_job

from frontend import zoo
from mobilenet_tvm.base.answers import Exported
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.errors import UserError

SMALL = "mobilenet_v1_0.25_128"


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v1_1.0_224",
        "mobilenet_v1_0.25_128",
        "mobilenet_v1_1.0_224_shallow",
        "mobilenet_v2_0.35_224",
        "mobilenet_v3_large_1.0_224",
        "mobilenet_v3_small_1.0_224",
    ],
)
def test_onnx_runtime_computes_what_pytorch_computes(name: str, ask: Any) -> None:
    result = ask(name)
    assert result.max_abs_err <= 1e-5 * result.output_range
    data = result.onnx.read_bytes()
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    model = onnx.load_model_from_string(data)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 20)]
    dims = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    side = zoo.find(name).resolution
    assert tuple(dims) == result.input.shape == (1, 3, side, side)
    assert not any(weight.external_data for weight in model.graph.initializer)
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}


def test_the_file_is_the_same_in_every_process_and_needs_no_tvm(tmp_path: Path, ask: Any) -> None:
    here = ask(SMALL)
    job = export_job(SMALL, tmp_path / "child.onnx", weights="random")
    there = run_child("frontend", job, Exported, block=("tvm", "tvm_ffi", "tvm_pipeline"))
    assert replace(there, onnx=here.onnx) == here
    assert there.onnx.read_bytes() == here.onnx.read_bytes()


def test_the_hash_is_known(ask: Any) -> None:
    """Another release of PyTorch may write other bytes: then this hash changes, and every cached export with it."""
    if torch.__version__.split("+")[0] != "2.13.0":
        pytest.skip("the hash belongs to PyTorch 2.13.0")
    assert ask(SMALL).sha256.startswith("d0b2ff68616f9ee1")


def test_a_batch_other_classes_and_another_activation(ask: Any) -> None:
    result = ask(SMALL, batch=3, classes=10, activation="relu6")
    assert result.input.shape == (3, 3, 128, 128)
    assert result.labels is None
    session = onnxruntime.InferenceSession(str(result.onnx), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"input": np.zeros((3, 3, 128, 128), np.float32)})
    assert logits.shape == (3, 10)
    assert Counter(node.op_type for node in onnx.load(result.onnx).graph.node)["Clip"] == 27


def test_imagenet_weights(ask: Any) -> None:
    result = ask("mobilenet_v2_1.0_224", weights="imagenet")
    assert (result.weights, result.labels) == ("imagenet", "imagenet-1k")
    assert "torchvision" in result.weights_note
    assert result.preprocessing.resize == 256


USERS_NETWORK = """
import torch
from torch import nn

class Noisy(nn.Conv2d):
    input_shape = (3, 8, 8)
    def __init__(self):
        super().__init__(3, 4, 3)
    def forward(self, x):
        return super().forward(x) + torch.rand(1)

class Branching(Noisy):
    def forward(self, x):
        y = nn.Conv2d.forward(self, x)
        return y if x[0, 0, 0, 0] > FIRST else -y

class BranchingOnImages(Noisy):  # both of the inputs that an export tries first go one way
    def forward(self, x):
        return nn.Conv2d.forward(self, x / 255 if x.max() > 100 else x)

class BranchingSomewhere(Noisy):  # and this one no input of an export tells
    def forward(self, x):
        y = nn.Conv2d.forward(self, x)
        return -y if x[0, 0, 0, 0] == 0.123 else y

class ByShape(Noisy):
    def forward(self, x):
        y = nn.Conv2d.forward(self, x)
        return y if x.shape[2] > 7 else -y

class Counting(Noisy):
    calls = 0
    def forward(self, x):
        self.calls += 1
        return nn.Conv2d.forward(self, x) + self.calls

class Nothing(Noisy):
    def forward(self, x):
        return [None, {"number": 3}]

class Several(Noisy):
    input_shape = {"image": (3, 8, 8), "scale": (4, 1, 1)}
    def forward(self, image, factor):
        y = nn.Conv2d.forward(self, image) * factor
        return {"scale": y, "levels": [y.mean(1), None, y.flatten(1).argmax(1)], "positive": y > 0}

class Sequence(nn.Sequential):
    input_shape = (3, 40)
    def __init__(self):
        super().__init__(nn.Conv1d(3, 8, 4, padding="same", dilation=3), nn.BatchNorm1d(8), nn.ReLU(),
                         nn.Conv1d(8, 8, 3, groups=8, padding="same", dilation=2), nn.Flatten())

def good():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(), nn.Flatten(),
                        nn.Linear(144, 6))
    net.input_shape = (3, 8, 8)
    return net
"""


@pytest.fixture
def users_file(tmp_path: Path) -> Path:
    generators = (torch.Generator().manual_seed(seed) for seed in (20170417, 20170418))
    # the first pixel of the two inputs, and a number between them
    traced, other = (float(torch.randn(1, 3, 8, 8, generator=generator)[0, 0, 0, 0]) for generator in generators)
    path = tmp_path / "net.py"
    path.write_text(USERS_NETWORK.replace("FIRST", str((traced + other) / 2)))
    return path


def test_a_users_module_keeps_its_weights(users_file: Path, ask: Any) -> None:
    result = ask(f"{users_file}:good", weights=None, batch=2)
    assert (result.model, result.weights, result.preprocessing, result.labels) == (
        "good",
        "given",
        None,
        None,
    )
    assert result.input.shape == (2, 3, 8, 8)
    assert [node.op_type for node in onnx.load(result.onnx).graph.node] == ["Conv", "Relu", "Flatten", "Gemm"]


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("Noisy", "Noisy computes something else in every call"),
        ("Counting", "Counting computes something else in every call"),
        ("Branching", r"disagree on Branching: .* looks at its input's values \(net\.py, line \d+\), .* torch\.where$"),
        ("BranchingOnImages", r"disagree on BranchingOnImages on values of 0 to 255: .* torch\.where$"),
        ("Nothing", "Nothing returns int as output_1_number, and an exported module returns tensors"),
    ],
)
def test_a_module_that_no_file_can_stand_for(
    factory: str, message: str, users_file: Path, ask: Any, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        ask(f"{users_file}:{factory}", weights=None)
    assert {path.name for path in tmp_path.iterdir()} <= {"net.py", "__pycache__"}


def test_a_branch_that_no_input_tells_is_warned_about_and_one_on_a_shape_is_none(
    users_file: Path, ask: Any, events: Any
) -> None:
    ask(f"{users_file}:ByShape", weights=None)
    assert events.warnings == []
    ask(f"{users_file}:BranchingSomewhere", weights=None)
    (warning,) = events.warnings
    assert re.match(r"BranchingSomewhere looks at its input's values in Python \(net\.py, line \d+\)", warning)


def test_several_inputs_and_outputs_keep_their_names(users_file: Path, ask: Any) -> None:
    result = ask(f"{users_file}:Several", weights=None, batch=2)
    assert {tensor.name: tensor.shape for tensor in result.inputs} == {"image": (2, 3, 8, 8), "scale": (2, 4, 1, 1)}
    assert result.outputs == ("scale_out", "levels_0", "levels_2", "positive")
    graph = onnx.load(result.onnx).graph
    assert [value.name for value in graph.output] == list(result.outputs)
    assert [value.type.tensor_type.elem_type for value in graph.output] == [1, 1, onnx.TensorProto.INT64, 9]


def test_a_network_of_one_dimension_takes_its_channels_and_length(users_file: Path, ask: Any) -> None:
    result = ask(f"{users_file}:Sequence", weights=None)
    assert result.input.shape == (1, 3, 40)
    assert ask(f"{users_file}:Sequence", weights=None, shape={"signal": (2, 3, 50)}).input.shape == (2, 3, 50)


def test_a_shape_that_the_module_does_not_take(users_file: Path, ask: Any) -> None:
    with pytest.raises(UserError, match=r"good does not run on a float32 input of 1x5x8x8: .*to have 3 channels"):
        ask(f"{users_file}:good", weights=None, shape=(1, 5, 8, 8))


def test_a_mistake_leaves_an_older_file_as_it_was(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"older")
    with pytest.raises(UserError):
        ask(SMALL, weights="imagenet")
    assert (tmp_path / "model.onnx").read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_a_place_where_no_file_can_be(ask: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder; name the file"):
        ask(SMALL, out=tmp_path)
    with pytest.raises(UserError, match="there is no folder"):
        ask(SMALL, out=tmp_path / "missing" / "model.onnx")
