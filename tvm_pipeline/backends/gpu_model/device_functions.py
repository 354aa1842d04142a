"""From a scheduled kernel to the functions that a GPU is launched with, everything in them explicit."""

from dataclasses import dataclass

import tvm
from tvm import tirx
from tvm.tirx.build import split_host_device_mods
from tvm.tirx.stmt import AttrStmt, SeqStmt, Stmt

from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE, GPU_CONFIG
from tvm_pipeline.hardware.multiprocessor import warps_of

Extents = tuple[int, int, int]
_LAUNCH = "tirx.kernel_launch_params"
_THREAD = "thread_extent"
_KEEP_LOOPS = {"tirx.UnrollLoop": {"explicit_unroll": 0, "auto_max_step": 0}}
"""A loop that the CUDA compiler unrolls stays a loop here: one access then stands for all of its steps."""


@dataclass(frozen=True)
class DeviceFunction:
    """One launch.

    :ivar body: the lowered body, thread extents included.
    :ivar grid: blocks along x, y and z.
    :ivar block: threads of a block along x, y and z.
    :ivar axes: the variable of each thread axis, by its tag (``threadIdx.x``).
    """

    name: str
    body: Stmt
    grid: Extents
    block: Extents
    axes: dict[str, tirx.Var]

    @property
    def blocks(self) -> int:
        return self.grid[0] * self.grid[1] * self.grid[2]

    @property
    def threads(self) -> int:
        """Of one block."""
        return self.block[0] * self.block[1] * self.block[2]

    @property
    def warps(self) -> int:
        """Of one block."""
        return warps_of(self.threads)


def device_functions(function: tirx.PrimFunc, target: tvm.target.Target) -> list[DeviceFunction]:
    """The launches of a scheduled kernel in the order of their names, lowered by TVM's own pipeline.

    :param target: a CUDA target with its host.
    :raises ValueError: a part of the kernel is bound to no thread, or a thread extent is no constant.
    """
    with tvm.transform.PassContext(config={**GPU_CONFIG, **_KEEP_LOOPS}):
        lowered = _lowered(function, target, "s_tir")
    launches = [_device_function(variable.name_hint, device) for variable, device in lowered.functions_items()]
    return sorted(launches, key=lambda launch: launch.name)


def compiled_functions(function: tirx.PrimFunc, target: tvm.target.Target) -> tvm.IRModule:
    """The device functions of a scheduled kernel just as they are compiled.

    :raises ValueError: it has none.
    """
    return _lowered(function, target, CODEGEN_PIPELINE)


def _lowered(function: tirx.PrimFunc, target: tvm.target.Target, pipeline: str) -> tvm.IRModule:
    symbol = str(function.attrs["global_symbol"]) if "global_symbol" in (function.attrs or {}) else "main"
    module = tvm.IRModule({symbol: function.with_attr("global_symbol", symbol)})
    lower, _, finalize_device = tirx.get_tir_pipeline(pipeline)
    try:
        with target:
            lowered = lower(tirx.transform.BindTarget(target)(module))
    except RuntimeError as error:  # VerifyMemory, say
        raise ValueError(f"the kernel cannot be lowered: {str(error).strip().splitlines()[-1]}") from error
    _, devices = split_host_device_mods(lowered)
    functions = {
        variable: device for part in devices.values() for variable, device in finalize_device()(part).functions_items()
    }
    if not functions:
        raise ValueError("no part of the kernel is bound to a GPU's threads")
    return tvm.IRModule(functions)


def _device_function(name: str, function: tirx.PrimFunc) -> DeviceFunction:
    axes: dict[str, tirx.Var] = {}
    extents: dict[str, int] = {}

    def visit(statement: Stmt) -> None:
        if isinstance(statement, SeqStmt):
            for part in statement.seq:
                visit(part)
        elif isinstance(statement, AttrStmt):
            if statement.attr_key == _THREAD:
                tag = str(statement.node.thread_tag)
                if not isinstance(statement.value, tirx.IntImm):
                    raise ValueError(f"{name}: the extent of {tag} is not known at compile time")
                axes[tag], extents[tag] = statement.node.var, int(statement.value)
            visit(statement.body)

    visit(function.body)

    def along(kind: str) -> Extents:
        x, y, z = (extents.get(f"{kind}.{axis}", 1) for axis in "xyz")
        return x, y, z

    return DeviceFunction(name, function.body, along("blockIdx"), along("threadIdx"), axes)
