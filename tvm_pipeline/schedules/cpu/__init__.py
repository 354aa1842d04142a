"""Space generators for vector units."""

from tvm_pipeline.schedules.cpu.conv2d import Conv2d, Conv2dOfPairs
from tvm_pipeline.schedules.cpu.dense import Dense
from tvm_pipeline.schedules.cpu.dot_pointwise import BFLOAT16_POINTWISE, INT8_POINTWISE
from tvm_pipeline.schedules.cpu.global_pool import GlobalPool
from tvm_pipeline.schedules.cpu.grouped_conv2d import GroupedConv2d
from tvm_pipeline.schedules.cpu.int8.planes import BytePlanes
from tvm_pipeline.schedules.cpu.int8.window import ByteWindow
from tvm_pipeline.schedules.cpu.narrow_groups import NarrowGroups
from tvm_pipeline.schedules.cpu.pointwise import OverhangingPointwise, Pointwise
from tvm_pipeline.schedules.cpu.separable import Separable
from tvm_pipeline.schedules.cpu.strassen import Strassen
from tvm_pipeline.schedules.cpu.window import Window
from tvm_pipeline.schedules.generator import Generator

GENERATORS: tuple[Generator, ...] = (
    Pointwise(),
    OverhangingPointwise(),
    BFLOAT16_POINTWISE,
    INT8_POINTWISE,
    Strassen(),
    Conv2d(),
    Conv2dOfPairs(),
    GroupedConv2d(),
    NarrowGroups(),
    Window(),
    ByteWindow(),
    BytePlanes(),
    Separable(),
    Dense(),
    GlobalPool(),
)
