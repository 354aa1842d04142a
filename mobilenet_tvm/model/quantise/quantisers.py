"""Who quantises: the first of these that is installed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.versions import installed

QUANTISERS = ("nncf", "onnxruntime")
"""Each has a file here, ``by_NAME``, with its ``DISTRIBUTION`` and ``quantise(model, feeds)``."""


def quantiser(name: str) -> ModuleType:
    """The file of one of ``QUANTISERS``."""
    return import_module(f"{__package__}.by_{name}")


def best() -> str:
    """The first that is installed."""
    for name in QUANTISERS:
        if installed(quantiser(name).DISTRIBUTION) is not None:
            return name
    raise SystemFailure("nothing that quantises is installed: run mobilenet-tvm doctor")


def version(name: str) -> str:
    """``name version``."""
    return f"{name} {installed(quantiser(name).DISTRIBUTION)}"
