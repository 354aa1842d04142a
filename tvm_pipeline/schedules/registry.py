"""Which generator serves which layer."""

from tvm_pipeline.layer import Layer
from tvm_pipeline.schedules.conv2d import Conv2d
from tvm_pipeline.schedules.dense import Dense
from tvm_pipeline.schedules.generator import Generator
from tvm_pipeline.schedules.global_pool import GlobalPool
from tvm_pipeline.schedules.pointwise import Pointwise
from tvm_pipeline.schedules.separable import Separable
from tvm_pipeline.schedules.strassen import Strassen
from tvm_pipeline.schedules.window import Window

_GENERATORS: tuple[Generator, ...] = (Pointwise(), Strassen(), Conv2d(), Window(), Separable(), Dense(), GlobalPool())


def generator_for(layer: Layer) -> Generator:
    """The generator of a layer's kind."""
    return next(generator for generator in _GENERATORS if layer.kind in generator.kinds)


def generator_named(name: str, version: int) -> Generator | None:
    """The generator that wrote a log line; None where it is gone or has another version by now."""
    return next((one for one in _GENERATORS if one.name == name and one.version == version), None)
