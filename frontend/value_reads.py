"""Where a module's Python looks at its input's values: what an ONNX file, made of one run, cannot repeat.

``if x.mean() > 0``, ``float(x.max())``, ``x.tolist()`` and ``int(mask.sum())`` are such reads; ``if x.shape[2] > 7`` is
none. Operators are watched while the module runs once: a tensor that was computed from an input is derived, and
reading a derived tensor's value into Python is remembered with its line.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_PAST_THE_DISPATCHER = (torch.Tensor.numpy, torch.Tensor.tolist, torch.Tensor.__array__)
_NOT_THE_USERS = (str(Path(torch.__file__).parent), __file__)


class ValueReads:
    """The reads of one run.

    :ivar places: ``net.py, line 12`` of each read, in order, each once.
    :ivar dynamic: whether there is a tensor whose shape depends on an input's values.
    """

    def __init__(self, inputs: Iterable[torch.Tensor]) -> None:
        self.places: list[str] = []
        self.dynamic = False
        self._storages = {_storage(tensor) for tensor in inputs}  # of derived tensors
        self._modes = ExitStack()

    def __enter__(self) -> ValueReads:
        self._modes.enter_context(_Operators(self))
        self._modes.enter_context(_Methods(self))
        return self

    def __exit__(self, *_: object) -> None:
        self._modes.close()

    def derived(self, values: object) -> bool:
        """Whether any tensor in ``values`` was computed from an input."""
        return any(_storage(leaf) in self._storages for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor))

    def follow(self, operator: Any, arguments: object, result: object) -> None:
        """Take note of an operator that has run; a storage's address may have been another tensor's before."""
        derived = self.derived(arguments)
        written = (result, arguments) if operator._schema.is_mutable and derived else result
        storages = {_storage(leaf) for leaf in tree_leaves(written) if isinstance(leaf, torch.Tensor)}
        if derived:
            self._storages |= storages
            self.dynamic |= torch.Tag.dynamic_output_shape in operator.tags
            if torch.Tag.data_dependent_output in operator.tags:
                self.read()
        elif not operator._schema.is_mutable:
            self._storages -= storages

    def read(self) -> None:
        """Remember the line of the user's that is running."""
        frames = (
            frame for frame in reversed(traceback.extract_stack()) if not frame.filename.startswith(_NOT_THE_USERS)
        )
        frame = next(frames, None)
        place = "" if frame is None else f"{Path(frame.filename).name}, line {frame.lineno}"
        if place not in self.places:
            self.places.append(place)


def _storage(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


class _Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, reads: ValueReads) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.reads = reads

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else the first operator imports torch's compiler, for more than a second

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.reads.follow(func, (args, kwargs), result)
        return result


class _Methods(TorchFunctionMode):
    """The ways out of a tensor that run no operator."""

    def __init__(self, reads: ValueReads) -> None:
        super().__init__()
        self.reads = reads

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in _PAST_THE_DISPATCHER and self.reads.derived(args):
            self.reads.read()
        return func(*args, **(kwargs or {}))
