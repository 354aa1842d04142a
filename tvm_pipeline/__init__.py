"""An ONNX file -> Relax -> schedules -> a module; tuning. Imports TVM, never torch.

Importing anything of this package makes the next ``import tvm`` fast. That import picks up torch where it is installed,
and parsing TVMScript calls ``inspect.stack()`` hundreds of times, which reads source files for every frame. Both cost
seconds and none is needed here.
"""

import inspect
import sys
from types import FrameType, ModuleType

from mobilenet_tvm.base.hidden_modules import hide


def _stack_without_sources(context: int = 1) -> list[inspect.FrameInfo]:
    """``inspect.stack`` that reads no source lines: TVMScript's parser only wants the frames."""
    frame: FrameType = sys._getframe(1)
    return inspect.getouterframes(frame, 0)


def _prepare() -> None:
    if "torch" not in sys.modules:
        hide(("torch",))
    inspect.stack = _stack_without_sources


def skip_tensor_intrinsics() -> None:
    """Makes TuneContext's import of TVM's tensor intrinsics a no-op: parsing takes 8 s, and no schedule uses one."""
    sys.modules.setdefault("tvm.s_tir.tensor_intrin", ModuleType("tvm.s_tir.tensor_intrin"))


_prepare()
