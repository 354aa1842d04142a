"""The process in which one engine lives: it loads a model, computes and times on command, and is idle in between.

Commands and answers are JSON lines (``engines.messages``); the end of standard input ends it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.protocol import die_with_parent, read, take_stdout
from mobilenet_tvm.engines import find
from mobilenet_tvm.engines.engine import Engine
from mobilenet_tvm.engines.messages import Compute, Done, Load, Time


def _pin(threads: int) -> None:
    """Keep this process, and the threads that it will start, to the first cores that it may use."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def _time(engine: Engine, inputs: Sequence[Any], warmup: int, seconds: float, minimum: int) -> list[int]:
    """Nanoseconds of each inference, for so many seconds and at least ``minimum`` inferences."""
    infer = engine.bind(inputs)
    for _ in range(warmup):
        infer()
    times: list[int] = []
    deadline = time.perf_counter_ns() + int(seconds * 1e9)
    while len(times) < minimum or time.perf_counter_ns() < deadline:
        begin = time.perf_counter_ns()
        infer()
        times.append(time.perf_counter_ns() - begin)
    return times


class _Worker:
    """State between commands: the engine with its model."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def load(self, command: Load) -> Done:
        _pin(command.threads)
        self._engine = find(command.engine)()
        self._engine.load(command.model, command.threads, command.dtype)
        return Done()

    def compute(self, command: Compute) -> Done:
        from mobilenet_tvm.package.reference import Pair, read_reference, write_reference

        assert self._engine is not None
        pairs = []
        for pair in read_reference(command.inputs):
            outputs = tuple(output.copy() for output in self._engine.run(pair.inputs))
            pairs.append(Pair(pair.inputs, outputs))
        write_reference(command.outputs, pairs)
        return Done()

    def time(self, command: Time) -> Done:
        from mobilenet_tvm.package.reference import read_reference

        assert self._engine is not None
        first = read_reference(command.inputs)[0].inputs
        return Done(times_ns=tuple(_time(self._engine, first, command.warmup, command.seconds, command.minimum)))


def main() -> None:
    """Answer commands until standard input ends."""
    die_with_parent()
    answers = take_stdout()
    worker = _Worker()
    handlers: dict[type[Document], Callable[[Any], Done]]
    handlers = {Load: worker.load, Compute: worker.compute, Time: worker.time}
    for line in sys.stdin:
        try:
            command = read(line, handlers)
            answer = handlers[type(command)](command)
        except Exception as error:
            answer = Done(error=f"{type(error).__name__}: {str(error).strip()}")
        answers.write(json.dumps(answer.to_json()) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
