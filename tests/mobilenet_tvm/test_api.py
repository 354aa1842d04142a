"""``import mobilenet_tvm``: the verbs as functions, safe where torch is loaded and where it is not."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import mobilenet_tvm
from mobilenet_tvm.cli.main import VERBS


def test_every_verb_is_a_function() -> None:
    several = {"logs": ["logs_show", "logs_check", "logs_export"], "cache": ["cache_show", "cache_clear"]}
    names = [name for verb in VERBS for name in several.get(verb, [verb])]
    assert sorted(names) == sorted(mobilenet_tvm.__all__)
    for name in names:
        assert callable(getattr(mobilenet_tvm, name)), name
        assert getattr(mobilenet_tvm, name).__doc__, name


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'transpile'"):
        _ = mobilenet_tvm.transpile


def test_neither_torch_nor_tvm_comes_into_the_process(tmp_path: Path, tiny_onnx: Path) -> None:
    script = f"""
import sys
import mobilenet_tvm as mt
assert not {{"numpy", "torch", "tvm"}} & set(sys.modules)
mt.compile({str(tiny_onnx)!r}, "x86-64-v3", {str(tmp_path / "p")!r})
assert mt.verify({str(tmp_path / "p")!r})["passed"]
mt.export("mobilenet_v1_0.25_128", {str(tmp_path / "m.onnx")!r}, weights="random")
mt.targets()
assert not {{"torch", "tvm", "tvm_ffi"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_thread_of_a_notebook_may_compile(tmp_path: Path, tiny_onnx: Path) -> None:
    found: list[object] = []

    def work() -> None:
        found.append(mobilenet_tvm.compile(str(tiny_onnx), "x86-64-v3", tmp_path / "p", on_event=lambda event: None))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(found) == 1


def test_a_listener_that_nobody_named_warns_as_python_does(tmp_path: Path, tiny_onnx: Path) -> None:
    with pytest.warns(UserWarning, match="does not say how images become its input"):
        mobilenet_tvm.compile(str(tiny_onnx), "x86-64-v3", tmp_path / "p")
