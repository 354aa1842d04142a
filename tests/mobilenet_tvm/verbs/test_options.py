"""Verbs that take a request, called with its options."""

from __future__ import annotations

from inspect import signature

import pytest

from mobilenet_tvm.base.requests import CompileRequest, TuneRequest
from mobilenet_tvm.verbs.compile import compile
from mobilenet_tvm.verbs.options import options_of
from mobilenet_tvm.verbs.tune import tune


@options_of(TuneRequest)
def verb(request: TuneRequest) -> TuneRequest:
    """What it does.

    :returns: the request.
    """
    return request


def test_options_become_the_request() -> None:
    assert verb("a.onnx", "rpi4", trials=3) == TuneRequest("a.onnx", "rpi4", trials=3)
    with pytest.raises(TypeError, match="trails"):
        verb("a.onnx", trails=3)  # type: ignore[call-arg]


def test_every_option_is_documented_once() -> None:
    for function, request in ((verb, TuneRequest), (tune, TuneRequest), (compile, CompileRequest)):
        names = list(signature(function).parameters)
        assert names == list(signature(request).parameters)
        for name in names:
            assert str(function.__doc__).count(f":param {name}:") == 1, name
        assert str(function.__doc__).splitlines()[0].endswith(".")
