"""What an engine must be able to do to be compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from mobilenet_tvm.base.versions import installed

if TYPE_CHECKING:
    import numpy as np


class Engine(ABC):
    """An adapter; it imports its engine in its methods, and its methods run in a process of their own.

    :cvar name: how ``--against`` calls it.
    :cvar distribution: the Python package that carries it.
    :cvar install: the command that installs it.
    """

    name: ClassVar[str]
    distribution: ClassVar[str]
    install: ClassVar[str]

    @classmethod
    def version(cls) -> str | None:
        """The installed engine's version; None if it is not installed."""
        return installed(cls.distribution)

    @staticmethod
    def computes_in(dtype: str) -> str:
        """The dtype that it really computes in where ``dtype`` is asked for."""
        return dtype

    @staticmethod
    def environment(threads: int) -> dict[str, str]:
        """Variables that must be set before its process starts."""
        return {}

    @abstractmethod
    def load(self, model: Path, threads: int, dtype: str) -> None:
        """Load a model (an ONNX file, for TVM a package's folder) to run with so many threads in that dtype."""

    @abstractmethod
    def bind(self, inputs: Sequence[np.ndarray]) -> Callable[[], Sequence[np.ndarray]]:
        """Make the network's inputs ready, in its order.

        :returns: what runs one inference of them, without a needless copy, and returns all outputs.
        """

    def run(self, inputs: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """All outputs for the network's inputs."""
        return self.bind(inputs)()
