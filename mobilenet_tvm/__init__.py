"""MobileNets (and any CNN in ONNX) through Apache TVM, with tuned schedules out of checked-in logs.

The functions here are the verbs of the command line. Importing this package imports neither torch, tvm nor numpy: each
verb loads what it needs when it is called, and torch and tvm only ever load in child processes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "bench",
    "cache_clear",
    "cache_show",
    "compare",
    "compile",
    "devices",
    "doctor",
    "export",
    "inspect",
    "logs_check",
    "logs_export",
    "logs_show",
    "models",
    "profile",
    "run",
    "targets",
    "train",
    "tune",
    "verify",
]

if TYPE_CHECKING:
    from mobilenet_tvm.verbs.bench import bench
    from mobilenet_tvm.verbs.cache import cache_clear, cache_show
    from mobilenet_tvm.verbs.compare import compare
    from mobilenet_tvm.verbs.compile import compile
    from mobilenet_tvm.verbs.devices import devices
    from mobilenet_tvm.verbs.doctor import doctor
    from mobilenet_tvm.verbs.export import export
    from mobilenet_tvm.verbs.inspect import inspect
    from mobilenet_tvm.verbs.logs import logs_check, logs_export, logs_show
    from mobilenet_tvm.verbs.models import models
    from mobilenet_tvm.verbs.profile import profile
    from mobilenet_tvm.verbs.run import run
    from mobilenet_tvm.verbs.targets import targets
    from mobilenet_tvm.verbs.train import train
    from mobilenet_tvm.verbs.tune import tune
    from mobilenet_tvm.verbs.verify import verify


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"mobilenet_tvm.verbs.{name.partition('_')[0]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
