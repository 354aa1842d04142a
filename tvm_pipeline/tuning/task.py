"""What a tuning session is to do, how long it may take, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import TuningLogs, TuningRecord
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.schedules import Decisions, generator_for, label_of


@dataclass(frozen=True)
class Task:
    """Layers to tune for a target.

    :ivar calls: the layers, and how often the network calls each.
    :ivar known: decisions that the logs hold for a layer, of another CPU too; they are tried first.
    :ivar rivals: the decisions for one thread, against which a record for several must win.
    :ivar threads: that a kernel may use.
    :ivar dtype: of activations and weights, which names the log file.
    :ivar tuned: the layers whose decisions were chosen on the CPU at hand.
    :ivar elsewhere: the choices of other CPUs: measured here they tell which one serves all.
    """

    calls: Mapping[Layer, int]
    known: Mapping[Layer, Decisions]
    rivals: Mapping[Layer, Decisions]
    target: AnyTarget
    threads: int
    dtype: str
    tuned: frozenset[Layer] = frozenset()
    elsewhere: Mapping[Layer, Sequence[Decisions]] = field(default_factory=dict)

    @staticmethod
    def of(calls: Mapping[Layer, int], logs: TuningLogs, target: AnyTarget, threads: int, dtype: str) -> "Task":
        """All layers of a network, with what the logs know of them."""
        records = _known(calls, logs, target, threads)
        tuned = frozenset(layer for layer, record in records.items() if logs.cpu in (None, record.cpu))
        rivals = _decisions(_known(calls, logs, target, 1)) if threads > 1 else {}
        elsewhere = {layer: logs.choices_elsewhere(layer, threads, _label(layer, target)) for layer in calls}
        return Task(calls, _decisions(records), rivals, target, threads, dtype, tuned, elsewhere)

    def without_known(self) -> "Task":
        """The layers alone that were not tuned on this CPU."""
        calls = {layer: count for layer, count in self.calls.items() if layer not in self.tuned}
        return replace(self, calls=calls)

    def by_value(self) -> "Task":
        """The same layers, those first that most Mult-Adds of all networks are of."""
        ordered = sorted(self.calls, key=lambda layer: -layer.mult_adds * self.calls[layer])
        return replace(self, calls={layer: self.calls[layer] for layer in ordered})

    def first_choices(self, layer: Layer) -> list[Decisions]:
        """What is worth a trial before all else but the default."""
        own = [source[layer] for source in (self.known, self.rivals) if layer in source]
        return [*own, *(choice for choice in self.elsewhere.get(layer, ()) if choice not in own)]


def default_of(layer: Layer, target: AnyTarget) -> Decisions:
    """The choice of the rule for the layer's kind."""
    return generator_for(layer, target.unit).default(layer, target.unit)


def _label(layer: Layer, target: AnyTarget) -> str:
    return label_of(generator_for(layer, target.unit))


def _decisions(records: Mapping[Layer, TuningRecord]) -> dict[Layer, Decisions]:
    return {layer: record.decisions for layer, record in records.items()}


def _known(layers: Mapping[Layer, int], logs: TuningLogs, target: AnyTarget, threads: int) -> dict[Layer, TuningRecord]:
    """What the logs hold for each layer, that thread count alone."""
    known = {}
    for layer in layers:
        match = logs.find(layer, threads, _label(layer, target))
        if match is not None and match.record.threads == threads:
            known[layer] = match.record
    return known


@dataclass(frozen=True)
class Budget:
    """When to stop: ``trials`` in this session, ``seconds`` on the clock; None: no limit.

    :ivar is_by_layer: each layer is done with before the next, in the task's order, and ends with its share of trials.
    """

    trials: int | None = None
    seconds: float | None = None
    is_by_layer: bool = False

    @property
    def is_limited(self) -> bool:
        """Whether the user said when to stop; else every layer gets its share and that is it."""
        return self.trials is not None or self.seconds is not None


@dataclass(frozen=True)
class Best:
    """The outcome for one layer.

    :ivar seconds: of one call of the kernel.
    :ivar rival_seconds: what the schedule for one thread takes with this session's threads; None where there is none.
    :ivar elsewhere: the choices of other CPUs, and their seconds here.
    """

    layer: Layer
    decisions: Decisions
    seconds: float
    trials: int
    rival_seconds: float | None = None
    elsewhere: Sequence[tuple[Decisions, float]] = ()
