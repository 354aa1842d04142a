"""A network that is built with one set of kernels after another."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import tvm
from onnx import ModelProto

from mobilenet_tvm.base.compiled import Tensor
from mobilenet_tvm.base.jobs import NetworkFile
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.choice_log import FUSED, STRASSEN, LoggedChoices
from mobilenet_tvm.base.logs.tuning_log import MEASURED, TuningLogs, TuningRecord
from tvm_pipeline.codegen.build import build
from tvm_pipeline.codegen.link import link_shared
from tvm_pipeline.compile import signature
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.importer.fault import fault_named
from tvm_pipeline.importer.import_onnx import convert, read_onnx, tensor_names
from tvm_pipeline.passes.pipeline import lower
from tvm_pipeline.passes.schedule_kernels import schedule_kernels
from tvm_pipeline.schedules import Decisions, generator_for, label_of
from tvm_pipeline.tuning.calls import calls_of

Forced = Mapping[tuple[str, str], bool]
"""Choices between kernels, by choice and descriptor, in place of the unit's own."""


@dataclass(frozen=True)
class Known:
    """What the logs hold, for so many threads of a CPU.

    :ivar sources: records, those of the folder that comes first first.
    """

    sources: Sequence[Sequence[TuningRecord]] = ()
    choices: LoggedChoices = field(default=LoggedChoices())  # never changes
    threads: int = 1
    cpu: str | None = None

    def logs(self, decided: Mapping[Layer, Decisions], target: AnyTarget) -> TuningLogs:
        """The records, and before them what is decided for some layers."""
        return TuningLogs(self.records(decided, target), *self.sources, cpu=self.cpu)

    def records(self, decided: Mapping[Layer, Decisions], target: AnyTarget) -> list[TuningRecord]:
        """What is decided, as records that go before all others."""
        return [self._record(layer, decisions, target) for layer, decisions in decided.items()]

    def _record(self, layer: Layer, decisions: Decisions, target: AnyTarget) -> TuningRecord:
        label = label_of(generator_for(layer, target.unit))
        return TuningRecord(str(layer), self.threads, label, dict(decisions), 1e-9, MEASURED, "", self.cpu)


@dataclass(frozen=True)
class NetworkBuild:
    """A network as a shared object.

    :ivar names: of the kernels that compute a layer.
    :ivar decisions: of each layer's kernel.
    """

    artifact: Path
    names: Mapping[Layer, Sequence[str]]
    decisions: Mapping[Layer, Decisions]


class NetworkBuilds:
    """Builds a network into a folder.

    :param known: what the logs hold: what is not decided otherwise is as ``compile`` would have it.
    """

    def __init__(self, network: NetworkFile, target: AnyTarget, known: Known, folder: Path) -> None:
        self._network, self._known, self._folder = network, known, folder
        self._target = target
        self._asked = Questions(known.choices)
        self._lowered: dict[frozenset[tuple[tuple[str, str], bool]], tvm.IRModule] = {}
        self._numbers = itertools.count(1)

    @property
    def threads(self) -> int:
        return self._known.threads

    @cached_property
    def _model(self) -> ModelProto:
        return read_onnx(self._network.onnx, self._network.shape)

    @cached_property
    def inputs(self) -> tuple[Tensor, ...]:
        return signature(self.module({}), *tensor_names(self._network.onnx))[0]

    @cached_property
    def doubtful(self) -> dict[tuple[str, Layer], bool]:
        """Choices between kernels that are worth a measurement, and whether they are taken without one."""
        calls = self.calls({})
        unit = self._target.unit.with_choices(self._known.choices)
        answer = {FUSED: unit.fuses, STRASSEN: unit.strassen_pays}
        return {
            (choice, layer): answer[choice](layer)
            for choice, layer in self._asked.questions
            if choice in answer and (choice == FUSED or {layer, by_strassen(layer)} & set(calls))
            if unit.is_doubtful(choice, layer)
        }

    def forced(self, flipped: str | None = None) -> dict[tuple[str, str], bool]:
        """All doubtful choices as they are without a measurement, but for those of one kind, which are reversed."""
        return {(choice, str(layer)): taken != (choice == flipped) for (choice, layer), taken in self.doubtful.items()}

    def module(self, forced: Forced) -> tvm.IRModule:
        """The network's kernels, not scheduled.

        :raises UserError: the file cannot be compiled.
        """
        key = frozenset(forced.items())
        if key not in self._lowered:
            choices = self._known.choices.forcing(forced) if forced else self._asked
            unit = self._target.unit.with_choices(choices)

            def lowered(model: ModelProto) -> tvm.IRModule:
                return lower(convert(model), unit)

            with fault_named(self._model, lowered), self._target.tvm:
                self._lowered[key] = lowered(self._model)
        return self._lowered[key]

    def calls(self, forced: Forced) -> Counter[Layer]:
        """The layers, and how often each is called."""
        return calls_of(self.module(forced))

    def all_calls(self) -> Counter[Layer]:
        """The same, and the layers that doubtful choices would make of them if they were reversed."""
        calls = self.calls({})
        for kind in {choice for choice, _ in self.doubtful}:
            calls |= self.calls(self.forced(kind))
        return calls

    def build(self, forced: Forced, decided: Mapping[Layer, Decisions]) -> NetworkBuild:
        """The network with some kernels' decisions settled."""
        unit = self._target.unit.with_choices(self._known.choices.forcing(forced))
        with self._target.tvm:
            module, kernels = schedule_kernels(
                self.module(forced), self._known.logs(decided, self._target), unit, self._known.threads, _say_nothing
            )
            executable = build(module, self._target).executable
        path = self._folder / f"network{next(self._numbers)}.so"
        executable.export_library(str(path), fcompile=self._link)
        layers = [(Layer.parse(kernel.layer), kernel) for kernel in kernels if kernel.layer is not None]
        names: dict[Layer, list[str]] = {}
        for layer, kernel in layers:
            names.setdefault(layer, []).append(kernel.name)
        return NetworkBuild(path, names, {layer: kernel.decisions or {} for layer, kernel in layers})

    def _link(self, output: str, objects: Sequence[str], options: object = None, **_: object) -> None:
        link_shared(output, objects, self._target.zig_target)


def by_strassen(layer: Layer) -> Layer:
    """A pointwise layer as it is called where Strassen's algorithm computes it."""
    return replace(layer, kind="strassen")


def _say_nothing(message: str) -> None:
    """Records that no longer apply are told of when a package is compiled."""


class Questions(LoggedChoices):
    """Answers as the records do, and remembers what was asked."""

    def __init__(self, choices: LoggedChoices) -> None:
        super().__init__()
        self._choices = choices
        self.questions: dict[tuple[str, Layer], None] = {}

    def taken(self, choice: str, layer: Layer) -> bool | None:
        self.questions[choice, layer] = None
        return self._choices.taken(choice, layer)
