"""Tuning networks' layers and writing what was found into tuning logs."""

import contextlib
import tempfile
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from mobilenet_tvm.base.answers import JudgedNetwork, TunedLayer, TuningResult
from mobilenet_tvm.base.document import UNSET
from mobilenet_tvm.base.events import Progress, Trial
from mobilenet_tvm.base.jobs import TuneJob
from mobilenet_tvm.base.logs.choice_log import LoggedChoices
from mobilenet_tvm.base.logs.tuning_log import read_logs
from mobilenet_tvm.base.protocol import Emit
from mobilenet_tvm.base.tracker import Device
from tvm_pipeline.backends.backend import Backend, Setup
from tvm_pipeline.backends.choose import network_clock, open_backend
from tvm_pipeline.hardware.target import AnyTarget, Target
from tvm_pipeline.tuning.database import TrialDatabase, claim
from tvm_pipeline.tuning.in_network import Verdict
from tvm_pipeline.tuning.journal import Journal
from tvm_pipeline.tuning.listener import deferred_interrupt
from tvm_pipeline.tuning.log_writer import LogWriter
from tvm_pipeline.tuning.network_builds import Known
from tvm_pipeline.tuning.networks import Networks
from tvm_pipeline.tuning.plan import Plan
from tvm_pipeline.tuning.session import Session
from tvm_pipeline.tuning.task import Best, Task


class _Listener:
    """Passes on what a session tells, and keeps its best in the log.

    :ivar improved: descriptors of the layers that improved on the log as it was.
    :ivar judged: the networks in which finalists were timed.
    """

    def __init__(self, emit: Emit, writer: LogWriter | None, interrupted: threading.Event) -> None:
        self._emit, self._writer, self._interrupted = emit, writer, interrupted
        self.improved: set[str] = set()
        self.judged: list[JudgedNetwork] = []

    @property
    def is_interrupted(self) -> bool:
        return self._interrupted.is_set()

    def tell(self, event: Trial | Progress) -> None:
        self._emit(event)

    def improve(self, bests: Sequence[Best], reference_seconds: float | None) -> None:
        if self._writer is not None:
            self.improved = self._writer.write(bests, reference_seconds)

    def keep(self, verdict: Verdict) -> None:
        """A network has judged the finalists of its layers."""
        if self._writer is not None:
            self.judged.append(JudgedNetwork(name=verdict.name, before=verdict.before, after=verdict.after))
            self.improved -= {str(layer) for layer in verdict.layers}
            self.improved |= self._writer.keep(verdict)


def tune_model(job: TuneJob, emit: Emit) -> TuningResult:
    """Tunes the layers of networks and merges the best into the job's logs, ``TARGET/DTYPE.jsonl``.

    Layers that the logs know are only searched further when the budget asks for it, and after the others. Where a clock
    of this machine's measures, the best few choices of each layer are then timed inside the networks. An interrupt ends
    all of this and keeps everything measured so far. What an emulated board says goes into no log, and its trials into
    no database that is kept.

    :raises UserError: a name is unknown, a network cannot be compiled, or no board is left.
    """
    begin, target = time.monotonic(), Target.from_json(job.target, job.options.dtype, job.threads)
    device = Device.parse(job.device) if job.device is not None else None
    setup = Setup(target, job.threads, device, emit.warning)
    backend, clock = open_backend(job.options.measure, setup), network_clock(job.options.measure, setup)
    networks = Networks(job.networks, target, _known(job, target, backend), emit)
    calls = networks.calls(with_doubtful=clock is not None)
    task = Task.of(calls, networks.known.logs({}, target), target, job.threads, job.options.dtype)
    plan = Plan.of(job.options, task, begin, networks=len(job.networks), can_judge=clock is not None)
    with contextlib.ExitStack() as stack:
        folder = job.database
        writer = LogWriter(job.logs, task, backend.conditions) if backend.conditions is not None else None
        if writer is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mobilenet-tvm-emulated-")))
        stack.callback(claim(folder).release)
        listener = _Listener(emit, writer, stack.enter_context(deferred_interrupt()))
        database = TrialDatabase(folder, task.target, job.threads, emit.warning)
        session = Session(plan.task, plan.budget, backend, database, listener)
        if plan.task.calls:
            session.run()
        if plan.budget.trials != 0:
            listener.improve(session.best(), session.reference_seconds)
        if session.trials:
            session.model.save(folder / "cost_model.tar")
        if clock is not None and plan.judges:

            def is_over() -> bool:
                return plan.is_over() or listener.is_interrupted

            for verdict in networks.judge(clock, Journal(folder, job.threads), session.finalists, is_over):
                listener.keep(verdict)
    return TuningResult(
        trials=session.trials,
        layers=tuple(_tuned(best, listener.improved) for best in session.best()),
        log=str(writer.path) if writer is not None else None,
        already_known=len(task.tuned) if plan.budget.is_by_layer else len(task.calls) - len(plan.task.calls),
        interrupted=listener.is_interrupted,
        noisy=session.noisy,
        cost_model_updates=session.model.updates,
        networks=tuple(listener.judged) or UNSET,
    )


def _known(job: TuneJob, target: AnyTarget, backend: Backend) -> Known:
    """What the logs hold for the CPU that measures."""
    dtype, folders = job.options.dtype, job.known_logs
    cpu = backend.conditions.cpu if backend.conditions is not None else None
    sources = read_logs(folders, target.logs, dtype)
    return Known(sources, LoggedChoices.load(folders, target.logs, dtype, job.threads, cpu), job.threads, cpu)


def _tuned(best: Best, improved: Collection[str]) -> TunedLayer:
    layer = str(best.layer)
    return TunedLayer(
        layer=layer,
        trials=best.trials,
        seconds=best.seconds,
        rival_seconds=best.rival_seconds,
        improved=layer in improved,
    )
