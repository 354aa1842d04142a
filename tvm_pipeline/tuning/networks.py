"""The networks of a tuning run: which layers they have, and what becomes of finalists inside them."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mobilenet_tvm.base.jobs import NetworkFile
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.protocol import Emit
from tvm_pipeline.backends.clock.network import NetworkClock, NetworkFailed
from tvm_pipeline.backends.workers.process import WorkerFailed
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.tuning.in_network import Finalists, Judge, Verdict
from tvm_pipeline.tuning.journal import Journal
from tvm_pipeline.tuning.network_builds import Known, NetworkBuilds


@dataclass(frozen=True)
class Networks:
    """Networks for one target.

    :ivar known: what the logs held when the run began.
    """

    files: Sequence[NetworkFile]
    target: AnyTarget
    known: Known
    emit: Emit

    def calls(self, *, with_doubtful: bool) -> Counter[Layer]:
        """The layers of all networks, and how often they are called in all.

        :param with_doubtful: with those, too, that other answers to doubtful choices would make of them.
        :raises UserError: a file cannot be compiled.
        """
        total: Counter[Layer] = Counter()
        for number, network in enumerate(self.files):
            self.emit.progress("layers", number, len(self.files), network.name)
            builds = NetworkBuilds(network, self.target, self.known, Path())
            total += builds.all_calls() if with_doubtful else builds.calls({})
        return total

    def judge(
        self, clock: NetworkClock, journal: Journal, finalists: Finalists, is_over: Callable[[], bool]
    ) -> Iterator[Verdict]:
        """Each network's verdict, as soon as it is known; networks whose finalists were all timed before have none.

        :param is_over: asked before each network.
        """
        known = self.known
        with clock, tempfile.TemporaryDirectory(prefix="mobilenet-tvm-judge-") as folder:
            for number, network in enumerate(self.files):
                if is_over():
                    return
                own = Path(folder, str(number))  # a process loads a library of one name once
                own.mkdir()
                builds = NetworkBuilds(network, self.target, known, own)
                judge = Judge(network.name, builds, clock, journal, self._teller(number))
                try:
                    if judge.is_done(finalists):
                        continue
                    verdict = judge.judge(finalists)
                except (NetworkFailed, WorkerFailed) as error:
                    self.emit.warning(f"the kernels of {network.name} were not timed inside it: {error}")
                    continue
                known = _with_verdict(known, verdict, self.target)
                yield verdict

    def _teller(self, number: int) -> Callable[[str], None]:
        return lambda detail: self.emit.progress("judging", number, len(self.files), detail)


def _with_verdict(known: Known, verdict: Verdict, target: AnyTarget) -> Known:
    """What is known to the networks after one: they begin from what it kept."""
    decided = {layer: timed[0].decisions for layer, timed in verdict.layers.items()}
    forced: dict[tuple[str, str], bool] = {(one.choice, str(one.layer)): one.is_taken for one in verdict.choices}
    sources = [known.records(decided, target), *known.sources]
    return replace(known, sources=sources, choices=known.choices.forcing(forced))
