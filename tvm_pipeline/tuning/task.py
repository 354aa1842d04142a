"""What a tuning session is to do, how long it may take, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.tuning_log import TuningLogs
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.schedules import Decisions, generator_for, label_of


@dataclass(frozen=True)
class Task:
    """Layers to tune for a target.

    :ivar calls: the layers, and how often the network calls each.
    :ivar known: decisions that the logs hold for a layer; they are tried first.
    :ivar rivals: the decisions for one thread, against which a record for several must win.
    :ivar threads: that a kernel may use.
    :ivar dtype: of activations and weights, which names the log file.
    """

    calls: Mapping[Layer, int]
    known: Mapping[Layer, Decisions]
    rivals: Mapping[Layer, Decisions]
    target: AnyTarget
    threads: int
    dtype: str

    @staticmethod
    def of(calls: Mapping[Layer, int], logs: TuningLogs, target: AnyTarget, threads: int, dtype: str) -> "Task":
        """All layers of a network, with what the logs know of them."""
        known = _known(calls, logs, target, threads)
        rivals = _known(calls, logs, target, 1) if threads > 1 else {}
        return Task(calls, known, rivals, target, threads, dtype)

    def without_known(self) -> "Task":
        """The layers alone that the logs do not know."""
        calls = {layer: count for layer, count in self.calls.items() if layer not in self.known}
        return replace(self, calls=calls)

    def first_choices(self, layer: Layer) -> list[Decisions]:
        """What is worth a trial before all else but the default."""
        return [source[layer] for source in (self.known, self.rivals) if layer in source]


def _known(layers: Mapping[Layer, int], logs: TuningLogs, target: AnyTarget, threads: int) -> dict[Layer, Decisions]:
    """What the logs hold for each layer, that thread count alone."""
    known = {}
    for layer in layers:
        match = logs.find(layer, threads, label_of(generator_for(layer, target.unit)))
        if match is not None and match.record.threads == threads:
            known[layer] = match.record.decisions
    return known


@dataclass(frozen=True)
class Budget:
    """When to stop: ``trials`` in this session, ``seconds`` on the clock; None: no limit."""

    trials: int | None = None
    seconds: float | None = None

    @property
    def is_limited(self) -> bool:
        """Whether the user said when to stop; else every layer gets its share and that is it."""
        return self.trials is not None or self.seconds is not None


@dataclass(frozen=True)
class Best:
    """The outcome for one layer.

    :ivar seconds: of one call of the kernel.
    :ivar rival_seconds: what the schedule for one thread takes with this session's threads; None where there is none.
    """

    layer: Layer
    decisions: Decisions
    seconds: float
    trials: int
    rival_seconds: float | None = None
