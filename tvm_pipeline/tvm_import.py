"""Imports TVM quickly and without torch.

``import tvm`` picks up torch where it is installed, and parsing TVMScript calls ``inspect.stack()`` hundreds of times,
which reads source files for every frame. Both cost seconds and none is needed here. Import this module before ``tvm``.
"""

import inspect
import sys
from types import FrameType, ModuleType


def _stack_without_sources(context: int = 1) -> list[inspect.FrameInfo]:
    """``inspect.stack`` that reads no source lines: TVMScript's parser only wants the frames."""
    frame: FrameType = sys._getframe(1)
    return inspect.getouterframes(frame, 0)


def prepare() -> None:
    """Makes the next ``import tvm`` fast. Calling it twice does no harm."""
    if "torch" not in sys.modules:
        sys.modules["torch"] = None  # type: ignore[assignment]  # a None entry makes ``import torch`` raise ImportError
    inspect.stack = _stack_without_sources


def skip_tensor_intrinsics() -> None:
    """Makes TuneContext's import of TVM's tensor intrinsics a no-op: parsing takes 8 s, and no schedule uses one."""
    sys.modules.setdefault("tvm.s_tir.tensor_intrin", ModuleType("tvm.s_tir.tensor_intrin"))


prepare()
