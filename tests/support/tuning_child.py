"""Tuning in a child process, its events as they come, and its end by force."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from mobilenet_tvm.base.child import child_command, child_environment
from mobilenet_tvm.base.jobs import NetworkFile, TuneJob
from mobilenet_tvm.base.protocol import spelled
from mobilenet_tvm.base.requests import TuneOptions
from mobilenet_tvm.base.target_spec import TargetSpec
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.tuning.database import TrialDatabase

Event = dict[str, Any]


def tune_job(onnx: Path, target: TargetSpec, folder: Path, **options: Any) -> TuneJob:
    """Logs and database lie in ``folder``."""
    logs, database = folder / "logs", folder / "database"
    return TuneJob(
        networks=(NetworkFile(name=onnx.stem, onnx=onnx),),
        target=target,
        threads=1,
        logs=logs,
        database=database,
        options=TuneOptions(**options),
    )


@dataclass
class TuningChild:
    """``python -m tvm_pipeline`` at work on a tune job."""

    process: subprocess.Popen[str]

    @staticmethod
    def start(job: TuneJob) -> TuningChild:
        process = subprocess.Popen(
            child_command("tvm_pipeline"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(block=("torch",)),
            text=True,
        )
        assert process.stdin is not None
        with process.stdin:
            process.stdin.write(spelled(job))
        return TuningChild(process)

    def events(self) -> Iterator[Event]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                yield json.loads(line)
            except ValueError:  # the line that a kill cut
                return

    def workers(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def kill(self) -> list[Event]:
        """Ends it as kill -9 does; returns the events that were on their way."""
        os.kill(self.process.pid, signal.SIGKILL)
        late = list(self.events())
        self.process.wait()
        return late

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)


def trials(events: list[Event]) -> Counter[tuple[str, float | None]]:
    """Layer and seconds of the trial events."""
    return Counter((event["layer"], event["seconds"]) for event in events if event["event"] == "trial")


def trials_on_disk(folder: Path, target: CpuTarget, warnings: list[str]) -> Counter[tuple[str, float | None]]:
    """Layer and seconds of the trials in the database, opened as the next session does."""
    database = TrialDatabase(folder / "database", target, 1, warnings.append)
    return Counter((layer, statistics.median(times) if times else None) for layer, _, times in database.trials())


if __name__ == "__main__":
    sys.exit("a helper of the tests")
