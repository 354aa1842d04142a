"""What is asked of the part of a machine that schedules are cut for, so that nobody asks what kind it is."""

from typing import Protocol, Self

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.choice_log import LoggedChoices

CPU, GPU = "cpu", "gpu"
"""The families of units. What serves one (workloads, generators, a builder) is registered under its name."""


class Unit(Protocol):
    """A vector unit, or a GPU."""

    @property
    def family(self) -> str:
        """Under which name workloads, generators and builders for it are registered."""
        ...

    @property
    def dtype(self) -> str:
        """Of activations and weights between kernels."""
        ...

    @property
    def stored(self) -> str:
        """The dtype of what lies in memory between kernels: ``dtype``, or what holds its bits."""
        ...

    @property
    def multiplies_bytes(self) -> bool:
        """Whether layers of quantised networks are computed in whole numbers, by an instruction of its own."""
        ...

    @property
    def taken_off_bytes(self) -> int:
        """What an unsigned byte loses before it is multiplied, where signed ones are: the bias makes up for it."""
        ...

    @property
    def keeps_bytes(self) -> bool:
        """Whether what lies between layers of quantised networks is computed from bytes to bytes, the same on all."""
        ...

    @property
    def compute_capability(self) -> int | None:
        """Of an NVIDIA GPU, major and minor as one number; None for a unit without device code."""
        ...

    @property
    def maximum_drops_nan(self) -> bool:
        """Whether the larger of NaN and a number is the number, whichever comes last."""
        ...

    def kernel_kind(self, layer: Layer) -> str:
        """By which name the layer's workload and generator are registered: its kind, or a variant for this unit."""
        ...

    def fuses(self, layer: Layer) -> bool:
        """Whether the two halves of a separable layer are faster as one kernel."""
        ...

    def strassen_pays(self, layer: Layer) -> bool:
        """Whether a pointwise layer is faster with an eighth fewer multiply-adds and some sums more."""
        ...

    def uses_all_threads(self, layer: Layer) -> bool:
        """Whether a kernel's loops are shared out among the threads that it is scheduled for."""
        ...

    def with_choices(self, choices: LoggedChoices) -> Self:
        """The unit, which answers such questions by what was measured where it can."""
        ...
