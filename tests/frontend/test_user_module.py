"""A user's own ``file.py:factory``."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from frontend import user_module
from mobilenet_tvm.base.errors import UserError

NETWORK = """
from torch import nn

class Net(nn.Sequential):
    input_shape = (3, 32, 40)
    def __init__(self, num_classes=5):
        super().__init__(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.LazyLinear(num_classes))
        self(__import__("torch").zeros(1, *self.input_shape))

def shapeless():
    return nn.Conv2d(3, 4, 3)

def factory():
    return nn.Conv2d(3, 4, 3).double()
factory.input_shape = [2, 3, 8, 8]

def wrong():
    return 7

def broken():
    return nn.Conv2d(3, 4, 3, groups=2)

def nothing():
    nn.Conv2d(3, 4, 3)

def unbuilt():
    return Net

def needy(width, depth=2):
    return nn.Conv2d(3, width, 3)

def leaves():
    import sys
    sys.exit("enough")

def long_winded():
    raise ValueError("first line\\nsecond line")

built = Net()

constant = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(NETWORK)
    return path


def test_a_class_is_a_factory_and_the_shape_may_be_the_modules(file: Path) -> None:
    made = user_module.load(f"{file}:Net", None, 2, None)
    assert (made.name, made.shapes, made.module.training) == ("Net", {"input": (2, 3, 32, 40)}, False)


def test_a_module_that_is_there_already_is_its_own_factory(file: Path) -> None:
    assert user_module.load(f"{file}:built", None, 1, None).shapes == {"input": (1, 3, 32, 40)}
    with pytest.raises(UserError, match="takes no number of classes"):
        user_module.load(f"{file}:built", None, 1, 11)


def test_the_number_of_classes_reaches_a_factory_that_takes_one(file: Path) -> None:
    module = user_module.load(f"{file}:Net", None, 1, 11).module
    assert isinstance(module, nn.Sequential)
    assert module[2].out_features == 11
    with pytest.raises(UserError, match="takes no number of classes"):
        user_module.load(f"{file}:factory", None, 1, 11)


def test_a_shape_with_a_batch_keeps_it_unless_another_is_asked_for(file: Path) -> None:
    assert user_module.load(f"{file}:factory", None, 1, None).shapes == {"input": (2, 3, 8, 8)}
    made = user_module.load(f"{file}:factory", None, 4, None)
    assert made.shapes == {"input": (4, 3, 8, 8)}
    assert str(next(made.module.parameters()).dtype) == "torch.float32"


def test_the_requests_shape_wins(file: Path) -> None:
    assert user_module.load(f"{file}:shapeless", (1, 3, 16, 16), 1, None).shapes == {"input": (1, 3, 16, 16)}
    assert user_module.load(f"{file}:Net", [3, 64, 64], 1, None).shapes == {"input": (1, 3, 64, 64)}


def test_a_neighbouring_file_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "parts_of_it.py").write_text("from torch import nn\nConv = nn.Conv2d\n")
    (tmp_path / "main.py").write_text("from parts_of_it import Conv\ndef make():\n    return Conv(3, 4, 3)\n")
    assert user_module.load(f"{tmp_path}/main.py:make", [3, 8, 8], 1, None).shapes == {"input": (1, 3, 8, 8)}


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("shapeless", r"set input_shape = \(3, 224, 224\) on the module, or pass --shape"),
        ("wrong", r"net\.py:wrong returned int, not an nn\.Module"),
        (
            "broken",
            r"calling net\.py:broken failed: ValueError: in_channels must be divisible by groups \(.*, line \d+\)",
        ),
        ("shapeles", r"unknown function in .*net\.py: 'shapeles': did you mean 'shapeless'"),
        ("constant", "cannot be called"),
        ("nothing", r"net\.py:nothing returned NoneType, .*: its last line has to return the module$"),
        ("unbuilt", r"net\.py:unbuilt returned the class Net, .*: it has to call the class$"),
        ("needy", r"net\.py:needy needs width: give them defaults, or name a function without parameters"),
        ("leaves", r"calling net\.py:leaves failed: SystemExit: enough \(net\.py, line \d+\)$"),
        ("long_winded", r"failed: ValueError: first line \(net\.py, line \d+\)$"),
        ("a-b", "write FILE.py:FUNCTION"),
    ],
)
def test_what_can_be_wrong_with_a_factory(file: Path, factory: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        user_module.load(f"{file}:{factory}", None, 1, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("import torch\nimport no_such_module_here\n", r"ModuleNotFoundError: .*no_such_module_here.*bad\.py, line 2"),
        ("x = 1\ndef make(:\n", r"SyntaxError: invalid syntax \(bad\.py, line 2\); mend it first$"),
        ("raise SystemExit('bye')\n", "SystemExit: bye"),
    ],
)
def test_a_file_that_does_not_import(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "bad.py").write_text(content)
    with pytest.raises(UserError, match=message):
        user_module.load(f"{tmp_path}/bad.py:make", None, 1, None)


def test_no_file_and_no_function(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file"):
        user_module.load(f"{tmp_path}/none.py:make", None, 1, None)
    with pytest.raises(UserError, match="names no function"):
        user_module.load(f"{tmp_path}/none.py", None, 1, None)
