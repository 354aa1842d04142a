"""Times the kernels of whole networks inside them, in a process of its own: inputs and weights are as cold as there.

The virtual machine calls an instrument before and after each kernel, as a package's own ``profile`` has it.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import tvm
from tvm import relax

from mobilenet_tvm.base.compiled import Tensor
from tvm_pipeline.backends.clock.measurement import Cores
from tvm_pipeline.backends.workers.process import WorkerProcess

BURST = 5
"""Runs of one network in a row, after one that brings its weights back: the others' have taken their place."""
FEWEST_BURSTS, MOST_BURSTS = 4, 40
TIMEOUT_SLACK = 240.0
"""Beside the seconds asked for: a busy machine's loading of modules, and the fewest bursts of large networks."""


@dataclass(frozen=True)
class NetworkRequest:
    """Networks, each a shared object, that take the same inputs; how long to measure them, in turns."""

    artifacts: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    seconds: float


@dataclass(frozen=True)
class NetworkTimes:
    """What a network takes.

    :ivar kernels: seconds of one call by the kernel's name, the mean over its calls in one run.
    :ivar whole: seconds of one run that no instrument slowed.
    """

    kernels: Mapping[str, float]
    whole: float


class _Loaded:
    """A network, and the shortest of its bursts' medians."""

    def __init__(self, artifact: str, inputs: Sequence[Any]) -> None:
        self._machine = relax.VirtualMachine(tvm.runtime.load_module(artifact), tvm.cpu())
        self._inputs = inputs
        self._begin = 0.0
        self._spent: dict[str, list[float]] = {}
        self._kernels: dict[str, float] = {}
        self._whole = float("inf")

    def burst(self) -> None:
        """Runs the network a few times as it is, and as often with the instrument."""
        self._run()
        self._whole = min(self._whole, statistics.median(self._run() for _ in range(BURST)))
        self._machine.set_instrument(self._instrument)
        runs = [self._instrumented() for _ in range(BURST)]
        self._machine.set_instrument(None)
        for name in runs[0]:
            seconds = statistics.median(run[name] for run in runs)
            self._kernels[name] = min(seconds, self._kernels.get(name, seconds))

    def times(self) -> NetworkTimes:
        return NetworkTimes(dict(self._kernels), self._whole)

    def _run(self) -> float:
        begin = time.perf_counter()
        self._machine["main"](*self._inputs)
        return time.perf_counter() - begin

    def _instrumented(self) -> dict[str, float]:
        self._spent = defaultdict(list)
        self._machine["main"](*self._inputs)
        return {name: statistics.fmean(seconds) for name, seconds in self._spent.items()}

    def _instrument(self, _function: Any, name: str, is_before: bool, *_: Any) -> int:
        if not is_before:
            self._spent[name].append(time.perf_counter() - self._begin)
        self._begin = time.perf_counter()
        return 0  # carry on


class _Stopwatch:
    """What the process does."""

    def measure(self, request: NetworkRequest) -> list[NetworkTimes] | str:
        """Times networks in turns; whatever goes wrong is an answer, not an exception."""
        try:
            inputs = [tvm.runtime.tensor(values) for values in _inputs(request.inputs)]
            networks = [_Loaded(artifact, inputs) for artifact in request.artifacts]
            end, bursts = time.monotonic() + request.seconds, 0
            while bursts < FEWEST_BURSTS or (bursts < MOST_BURSTS and time.monotonic() < end):
                for network in networks:
                    network.burst()
                bursts += 1
            return [network.times() for network in networks]
        except Exception as error:
            lines = str(error).strip().splitlines()
            return f"{type(error).__name__}: {lines[-1] if lines else ''}"


def _inputs(tensors: Sequence[Tensor]) -> list[np.ndarray]:
    """Seeded and normally distributed."""
    random = np.random.default_rng(0)
    return [random.standard_normal(tensor.shape, dtype="float32").astype(tensor.dtype) for tensor in tensors]


class NetworkFailed(Exception):
    """Networks that could not be measured; one line says why."""


class NetworkClock:
    """A warm process that times networks with so many threads; a context, and the process ends with it."""

    def __init__(self, threads: int) -> None:
        environment = {"TVM_NUM_THREADS": str(threads), "TVM_BIND_THREADS": "0", "OMP_NUM_THREADS": str(threads)}
        self._worker = WorkerProcess(_Stopwatch(), environment, Cores.split(threads).running)

    def __enter__(self) -> Self:
        self._worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.stop()

    def measure(self, artifacts: Sequence[Path], inputs: Sequence[Tensor], seconds: float) -> list[NetworkTimes]:
        """The times of each network.

        :raises NetworkFailed: one does not load or run.
        :raises WorkerFailed: the process died, or did not answer in time.
        """
        request = NetworkRequest(tuple(str(artifact) for artifact in artifacts), tuple(inputs), seconds)
        answer = self._worker.ask(_Stopwatch.measure, request, seconds + TIMEOUT_SLACK)
        if isinstance(answer, str):
            raise NetworkFailed(answer)
        return answer
