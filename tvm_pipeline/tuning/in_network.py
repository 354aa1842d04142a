"""The best few choices of each layer, judged inside the network: a kernel alone finds its input and weights in caches
that the rest of a network has filled with something else."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.choice_log import FUSED, PARALLEL, STRASSEN, Choice
from tvm_pipeline.backends.clock.network import NetworkClock, NetworkTimes
from tvm_pipeline.schedules import Decisions
from tvm_pipeline.tuning.journal import Journal, Timed
from tvm_pipeline.tuning.network_builds import Forced, NetworkBuild, NetworkBuilds, by_strassen

FINALISTS = 5
"""So many choices of a layer at most, beside the one that the logs would have compiled."""
SECONDS = 5.0
"""That builds are measured in turns."""
GAIN = 0.98
"""A choice between kernels is left as it is where the other way takes longer than so many times as long."""

Finalists = Callable[[Layer], Sequence[Decisions]]
"""What is worth timing inside a network, the best first."""


@dataclass(frozen=True)
class Choosing:
    """A choice between kernels, and seconds of the layer either way."""

    choice: Choice
    layer: Layer
    seconds_with: float
    seconds_without: float

    @property
    def is_taken(self) -> bool:
        return self.seconds_with < self.seconds_without


@dataclass(frozen=True)
class Verdict:
    """What became of a network's finalists.

    :ivar name: the network's.
    :ivar layers: per layer all timed choices, the one to keep first.
    :ivar choices: between kernels, as measured; none where the network got slower by them.
    :ivar before: seconds of the network with the choices that the logs knew.
    :ivar after: with what is kept.
    """

    name: str
    layers: Mapping[Layer, Sequence[Timed]]
    choices: Sequence[Choosing]
    before: float
    after: float


@dataclass(frozen=True)
class _Outcome:
    """What a network could be compiled with, and seconds of one run then."""

    seconds: float
    decided: Mapping[Layer, Decisions]
    choices: Sequence[Choosing] = ()


class Judge:
    """Judges one network's finalists.

    :param journal: of what was timed in this network and in others: a layer takes what is best over them.
    :param tell: hears what is being done.
    """

    def __init__(
        self, name: str, builds: NetworkBuilds, clock: NetworkClock, journal: Journal, tell: Callable[[str], None]
    ) -> None:
        self._name, self._builds, self._clock, self._journal, self._tell = name, builds, clock, journal, tell

    def judge(self, finalists: Finalists) -> Verdict:
        """Times all finalists, then the network with the best of them against what it was.

        :raises NetworkFailed: a build does not run.
        """
        self._tell(f"{self._name}: building")
        calls = self._builds.calls({})
        base = self._builds.build({}, {})
        pool = {layer: _distinct([base.decisions[layer], *finalists(layer)])[: FINALISTS + 1] for layer in calls}
        self._time(base, pool, calls)
        best = {layer: self._journal.best(layer)[0].decisions for layer in calls}
        new = {layer: finalists(layer)[0] for layer in self._flipped_layers() - set(calls) if finalists(layer)}
        return self._close(base, {**new, **best}, list(calls))

    def is_done(self, finalists: Finalists) -> bool:
        """Whether all of them were timed in this network before."""
        return all(self._journal.knows(self._name, layer, finalists(layer)) for layer in self._builds.calls({}))

    def _time(self, base: NetworkBuild, pool: Mapping[Layer, Sequence[Decisions]], calls: Mapping[Layer, int]) -> None:
        """One build for the second choices of all layers, one for the third, and so on; books what they take."""
        builds = [base]
        for number in range(1, max(map(len, pool.values()))):
            self._tell(f"{self._name}: building choice {number + 1} of each layer")
            decided = {layer: choices[min(number, len(choices) - 1)] for layer, choices in pool.items()}
            builds.append(self._builds.build({}, decided))
        timed = list(zip(builds, self._measure(builds), strict=True))
        for layer, choices in pool.items():
            seconds = [_seconds_of(build, times, layer) for build, times in timed[: len(choices)]]
            entries = [Timed(decisions, value) for decisions, value in zip(choices, seconds, strict=True)]
            self._journal.add(self._name, layer, calls[layer], entries)

    def _close(self, base: NetworkBuild, decided: Mapping[Layer, Decisions], layers: Sequence[Layer]) -> Verdict:
        """The network with the best choices, with each kind of doubtful choice reversed, and with what gained."""
        flips = self._flips(layers)
        self._tell(f"{self._name}: building the best")
        builds = [base, *(self._builds.build(forced, decided) for forced in ({}, *flips.values()))]
        before, chosen, *flipped = self._measure(builds)
        choosings = [
            choosing
            for kind, build, times in zip(flips, builds[2:], flipped, strict=True)
            for choosing in self._compare(kind, (builds[1], chosen), (build, times))
        ]
        agreeing = [one for one in choosings if one.is_taken == self._was(one)]
        outcomes = [_Outcome(before.whole, base.decisions), _Outcome(chosen.whole, decided, agreeing)]
        if gaining := [one for one in choosings if self._gains(one)]:
            seconds = self._with_other_kernels(base, gaining, decided) * before.whole
            outcomes.append(_Outcome(seconds, decided, [*agreeing, *gaining]))
        best = min(outcomes, key=lambda outcome: outcome.seconds)
        judged = {layer: self._kept_first(layer, best.decided[layer]) for layer in layers}
        return Verdict(self._name, judged, best.choices, before.whole, best.seconds)

    def _with_other_kernels(
        self, base: NetworkBuild, reversed_ones: Sequence[Choosing], decided: Mapping[Layer, Decisions]
    ) -> float:
        """What the network takes with these choices as they were measured, beside what it took before."""
        self._tell(f"{self._name}: building with other kernels")
        forced: dict[tuple[str, str], bool] = {(one.choice, str(one.layer)): one.is_taken for one in reversed_ones}
        before, after = self._measure([base, self._builds.build(forced, decided)])
        return after.whole / before.whole

    def _flips(self, layers: Sequence[Layer]) -> dict[Choice, Forced]:
        """Each kind of choice reversed."""
        flips: dict[Choice, Forced] = {kind: self._builds.forced(kind) for kind in self._kinds}
        return flips | ({PARALLEL: self._serial(layers)} if self._builds.threads > 1 else {})

    @property
    def _kinds(self) -> list[Choice]:
        """Of the doubtful choices."""
        kinds: tuple[Choice, ...] = (FUSED, STRASSEN)
        return [kind for kind in kinds if any(choice == kind for choice, _ in self._builds.doubtful)]

    def _flipped_layers(self) -> set[Layer]:
        """The layers of the network with its doubtful choices reversed."""
        return {layer for kind in self._kinds for layer in self._builds.calls(self._builds.forced(kind))}

    @staticmethod
    def _serial(layers: Sequence[Layer]) -> Forced:
        return {(PARALLEL, str(layer)): False for layer in layers}

    def _gains(self, choosing: Choosing) -> bool:
        """Whether the choice is reversed: the other way is faster, and not by a hair."""
        seconds = (choosing.seconds_with, choosing.seconds_without)
        now, other = seconds if self._was(choosing) else seconds[::-1]
        return other < GAIN * now

    def _was(self, choosing: Choosing) -> bool:
        """Whether the choice is taken without a measurement."""
        return self._builds.doubtful.get((choosing.choice, choosing.layer), True)

    def _compare(
        self, kind: Choice, chosen: tuple[NetworkBuild, NetworkTimes], other: tuple[NetworkBuild, NetworkTimes]
    ) -> Iterator[Choosing]:
        """The layers of a kind of choice as they are, and reversed."""
        asked = {layer: was for (choice, layer), was in self._builds.doubtful.items() if choice == kind}
        if kind == PARALLEL:
            asked = dict.fromkeys(chosen[0].names, True)
        for layer, was in asked.items():
            taken, left = (chosen, other) if was else (other, chosen)
            seconds = _way(*taken, _kernels(kind, layer, True)), _way(*left, _kernels(kind, layer, False))
            if seconds[0] is not None and seconds[1] is not None:
                yield Choosing(kind, layer, seconds[0], seconds[1])

    def _kept_first(self, layer: Layer, kept: Decisions) -> list[Timed]:
        return sorted(self._journal.best(layer), key=lambda timed: timed.decisions != kept)

    def _measure(self, builds: Sequence[NetworkBuild]) -> list[NetworkTimes]:
        self._tell(f"{self._name}: measuring {len(builds)} builds in turns")
        return self._clock.measure([build.artifact for build in builds], self._builds.inputs, SECONDS)


def _distinct(choices: Sequence[Decisions]) -> list[Decisions]:
    return [choice for number, choice in enumerate(choices) if choice not in choices[:number]]


def _seconds_of(build: NetworkBuild, times: NetworkTimes, layer: Layer) -> float:
    """Of one call: the mean over the kernels that compute the layer."""
    seconds = [times.kernels[name] for name in build.names[layer]]
    return sum(seconds) / len(seconds)


def _kernels(kind: str, layer: Layer, is_taken: bool) -> list[Sequence[Layer]]:
    """What computes a layer with a choice taken, and without it: for each kernel the layers that it may go by."""
    if kind == FUSED and not is_taken:
        last = layer.pointwise_part
        return [(layer.depthwise_part,), (last, by_strassen(last))]
    return [(by_strassen(layer) if kind == STRASSEN and is_taken else layer,)]


def _way(build: NetworkBuild, times: NetworkTimes, kernels: Sequence[Sequence[Layer]]) -> float | None:
    """Seconds of a layer's kernels together; None where the build has them not."""
    total = 0.0
    for names in kernels:
        there = [layer for layer in names if layer in build.names]
        if not there:
            return None
        total += _seconds_of(build, times, there[0])
    return total
