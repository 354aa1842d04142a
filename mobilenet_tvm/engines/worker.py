"""The process in which one engine lives: it loads a model, computes and times on command, and is idle in between.

Commands and answers are JSON lines: ``load``, ``outputs`` and ``time``; the end of standard input ends it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.protocol import die_with_parent, take_stdout
from mobilenet_tvm.engines import find
from mobilenet_tvm.engines.engine import Engine


def _pin(threads: int) -> list[int]:
    """Keep this process, and the threads that it will start, to the first cores that it may use."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    os.sched_setaffinity(0, cores)
    return cores


def _time(engine: Engine, x: Any, warmup: int, seconds: float, minimum: int) -> list[int]:
    """Nanoseconds of each inference, for so many seconds and at least ``minimum`` inferences."""
    infer = engine.bind(x)
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

    def load(self, engine: str, model: str, threads: int, dtype: str) -> dict[str, Any]:
        cores = _pin(threads)
        self._engine = find(engine)()
        self._engine.load(Path(model), threads, dtype)
        return {"cores": cores}

    def outputs(self, inputs: str, outputs: str) -> dict[str, Any]:
        """Compute ``reference.npz``'s inputs and write what came out, in the same form."""
        from mobilenet_tvm.package.reference import read_reference, write_reference

        assert self._engine is not None
        xs, _ = read_reference(Path(inputs))
        write_reference(Path(outputs), xs, [self._engine.run(x).copy() for x in xs])
        return {}

    def time(self, inputs: str, warmup: int, seconds: float, minimum: int) -> dict[str, Any]:
        from mobilenet_tvm.package.reference import read_reference

        assert self._engine is not None
        xs, _ = read_reference(Path(inputs))
        return {"times_ns": _time(self._engine, xs[0], warmup, seconds, minimum)}


def main() -> None:
    """Answer commands until standard input ends."""
    die_with_parent()
    answers = take_stdout()
    worker = _Worker()
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(worker, command.pop("do"))(**command)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {str(error).strip()}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
