"""Which generator serves which layer on which unit."""

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.schedules.cpu.conv2d import Conv2d
from tvm_pipeline.schedules.cpu.dense import Dense
from tvm_pipeline.schedules.cpu.global_pool import GlobalPool
from tvm_pipeline.schedules.cpu.pointwise import Pointwise
from tvm_pipeline.schedules.cpu.separable import Separable
from tvm_pipeline.schedules.cpu.strassen import Strassen
from tvm_pipeline.schedules.cpu.window import Window
from tvm_pipeline.schedules.generator import Generator, Unit
from tvm_pipeline.schedules.gpu.conv2d import GpuConv2d
from tvm_pipeline.schedules.gpu.dense import GpuDense
from tvm_pipeline.schedules.gpu.global_pool import GpuGlobalPool
from tvm_pipeline.schedules.gpu.pointwise import GpuPointwise
from tvm_pipeline.schedules.gpu.separable import GpuSeparable
from tvm_pipeline.schedules.gpu.tensor_pointwise import GpuTensorPointwise
from tvm_pipeline.schedules.gpu.window import GpuWindow
from tvm_pipeline.workloads.tensor_pointwise import fits_tensor_cores

_FOR_CPUS: tuple[Generator, ...] = (Pointwise(), Strassen(), Conv2d(), Window(), Separable(), Dense(), GlobalPool())
_FOR_GPUS: tuple[Generator, ...] = (
    GpuPointwise(),
    GpuConv2d(),
    GpuWindow(),
    GpuSeparable(),
    GpuDense(),
    GpuGlobalPool(),
)
_TENSOR_POINTWISE = GpuTensorPointwise()


def generator_for(layer: Layer, unit: Unit) -> Generator:
    """The generator of a layer's kind on a unit. Raises KeyError for a kind that the unit has none for."""
    if isinstance(unit, GpuUnit) and layer.kind == "pointwise" and fits_tensor_cores(layer, unit.dtype):
        return _TENSOR_POINTWISE
    generators = _FOR_GPUS if isinstance(unit, GpuUnit) else _FOR_CPUS
    found = next((generator for generator in generators if layer.kind in generator.kinds), None)
    if found is None:
        raise KeyError(layer.kind)
    return found


def generator_named(name: str, version: int) -> Generator | None:
    """The generator that wrote a log line; None where it is gone or has another version by now."""
    known = (*_FOR_CPUS, *_FOR_GPUS, _TENSOR_POINTWISE)
    return next((one for one in known if one.name == name and one.version == version), None)
