"""The parent's side of an engine's process."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from mobilenet_tvm.base.child import child_command, child_environment
from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.protocol import spelled
from mobilenet_tvm.engines.engine import Engine
from mobilenet_tvm.engines.messages import Compute, Done, Load, Time
from mobilenet_tvm.package.reference import read_reference

if TYPE_CHECKING:
    import numpy as np

_WORKER = "mobilenet_tvm.engines.worker"
_TURN_WARMUP = 2  # inferences that a turn begins with and does not count: the caches are another engine's


def require(adapter: type[Engine], threads: int) -> None:
    """:raises UserError: the engine is not installed, or there are fewer cores than threads."""
    if adapter.version() is None:
        raise UserError(f"{adapter.name} is not installed: {adapter.install}")
    cores = len(os.sched_getaffinity(0))
    if threads > cores:
        raise UserError(f"{threads} threads cannot be measured on {cores} cores")


class EngineProcess:
    """One engine with one model in a process of its own, pinned to the first ``threads`` cores."""

    def __init__(self, adapter: type[Engine], model: Path, threads: int, dtype: str) -> None:
        self.adapter = adapter
        self._load = Load(engine=adapter.name, model=model, threads=threads, dtype=dtype)
        self._environment = adapter.environment(threads)

    def __enter__(self) -> EngineProcess:
        self._noise = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            child_command(_WORKER),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._noise,
            env=child_environment(("torch",), self._environment),
            text=True,
        )
        try:
            self._ask(self._load)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._noise.close()

    def _ask(self, command: Document) -> Done:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(spelled(command) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._noise.seek(0)
            raise SystemFailure(f"{self.adapter.name} died; --debug shows what it printed", self._noise.read())
        answer = Done.from_json(json.loads(line))
        if answer.error is not None:
            raise SystemFailure(f"{self.adapter.name}: {answer.error}")
        return answer

    def outputs(self, reference: Path) -> list[tuple[np.ndarray, ...]]:
        """What the engine makes of a ``reference.npz``'s inputs: all outputs of each pair."""
        with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as folder:
            path = Path(folder) / "outputs.npz"
            self._ask(Compute(inputs=reference, outputs=path))
            return [pair.outputs for pair in read_reference(path)]

    def time(self, reference: Path, seconds: float, minimum: int, warmup: int = _TURN_WARMUP) -> list[int]:
        """Nanoseconds of each inference of the first input, for so many seconds and at least ``minimum`` times."""
        return list(self._ask(Time(inputs=reference, warmup=warmup, seconds=seconds, minimum=minimum)).times_ns)
