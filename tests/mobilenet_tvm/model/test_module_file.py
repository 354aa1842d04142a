"""A module as an object goes to the frontend and back."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import onnx
import pytest
import torch
from torch import nn

import mobilenet_tvm
from frontend import saved_module
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.model import module_file

NOTEBOOK = """
import sys
import mobilenet_tvm
from torch import nn
from parts import Scale

class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.scale = nn.Conv2d(3, 4, 3), Scale()
    def forward(self, x):
        return self.scale(self.conv(x))

result = mobilenet_tvm.export(Mine(), sys.argv[1], shape=[1, 3, 8, 8])
print(result.model, result.weights, result.input.shape)
"""


def test_a_class_of_a_script_and_one_that_it_imports(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text("from torch import nn\nclass Scale(nn.ReLU6):\n    pass\n")
    (tmp_path / "script.py").write_text(NOTEBOOK)
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py", tmp_path / "mine.onnx"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "Mine given (1, 3, 8, 8)\n"), done.stderr
    assert {node.op_type for node in onnx.load(tmp_path / "mine.onnx").graph.node} == {"Conv", "Constant", "Clip"}


def test_weights_and_shape_travel_and_the_users_module_stays_as_it_was(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv1d(2, 3, 3), nn.Dropout())
    net.input_shape = (2, 9)
    module_file.write_module(net, tmp_path / "net")
    made = saved_module.load(tmp_path / "net", module_file.name_of(net), None, 2)
    assert (made.name, made.shapes, made.module.training) == ("Sequential", {"input": (2, 2, 9)}, False)
    assert net.training
    assert torch.equal(made.module.state_dict()["0.weight"], net[0].weight)


def test_what_cannot_travel(tmp_path: Path) -> None:
    net = nn.ReLU()
    net.lock = threading.Lock()
    with pytest.raises(UserError, match=r"module ReLU cannot be sent .*lock.*; pass 'file\.py:factory' instead"):
        mobilenet_tvm.export(net, tmp_path / "net.onnx", shape=[1, 3, 8, 8])
    assert not any(tmp_path.iterdir())


def test_only_a_module_is_one() -> None:
    assert module_file.is_module(nn.ReLU())
    assert not module_file.is_module(nn.ReLU)
    assert not module_file.is_module("ReLU")
