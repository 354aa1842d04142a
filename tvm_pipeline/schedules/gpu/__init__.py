"""Space generators for GPUs: what a thread block and each of its threads compute."""

from tvm_pipeline.schedules.generator import Generator
from tvm_pipeline.schedules.gpu.conv2d import GpuConv2d
from tvm_pipeline.schedules.gpu.dense import GpuDense
from tvm_pipeline.schedules.gpu.global_pool import GpuGlobalPool
from tvm_pipeline.schedules.gpu.plain import GpuPlain
from tvm_pipeline.schedules.gpu.pointwise import GpuPointwise
from tvm_pipeline.schedules.gpu.separable import GpuSeparable
from tvm_pipeline.schedules.gpu.tensor_pointwise import GpuTensorPointwise
from tvm_pipeline.schedules.gpu.window import GpuWindow

GENERATORS: tuple[Generator, ...] = (
    GpuPointwise(),
    GpuTensorPointwise(),
    GpuConv2d(),
    GpuWindow(),
    GpuSeparable(),
    GpuDense(),
    GpuGlobalPool(),
    GpuPlain(),
)
