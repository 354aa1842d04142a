"""Kills a tuning run at random moments and sees that no finished trial is lost and the next run goes on.

    python tests/soak/kill_tuning.py [--kills 10] [--seconds 6] [--seed N] [--target native]

SIGKILL comes between 0 and SECONDS after a run's first trial, every third time after its start. Exit code 1 on a loss.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from onnx_network import Network
from tuning_child import Event, TuningChild, trials, trials_on_disk, tune_job

import targets
from mobilenet_tvm.base.answers import TuningResult
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.logs.tuning_log import log_path, read_log
from tvm_pipeline.hardware.target import CpuTarget


def network() -> Network:
    """Six layers, so that no space is exhausted soon."""
    made = Network()
    x = made.node("Relu", made.conv(made.input([1, 3, 64, 64]), 3, 32, 3, strides=[2, 2]))
    for channels, wider, stride in ((32, 64, 1), (64, 128, 2)):
        x = made.node("Relu", made.conv(x, channels, channels, 3, group=channels, strides=[stride, stride]))
        x = made.node("Relu", made.conv(x, channels, wider))
    features = made.node("Flatten", made.node("GlobalAveragePool", x))
    return made.output(made.node("Gemm", features, made.constant(made.weight(128, 10))))


def run_and_kill(child: TuningChild, delay: float, from_start: bool) -> list[Event]:
    """All events that reached us until ``delay`` seconds after the start, or after the first trial."""
    timer = threading.Timer(delay, child.process.kill)
    if from_start:
        timer.start()
    events: list[Event] = []
    for event in child.events():
        events.append(event)
        if not timer.ident and event["event"] == "trial":
            timer.start()
    child.process.wait()
    timer.join()
    return events


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill a tuning run at random moments: no finished trial may be lost.")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=6.0, help="the latest moment of a kill")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--target", default="native")
    arguments = parser.parse_args()
    preset = targets.load(arguments.target)
    target, chance = CpuTarget.from_json(preset), random.Random(arguments.seed)
    print(f"seed {arguments.seed}, target {target.name}")
    told: list[Event] = []
    with tempfile.TemporaryDirectory(prefix="kill-tuning-") as name:
        folder = Path(name)
        onnx = network().save(folder / "network.onnx")
        for number in range(1, arguments.kills + 1):
            delay = chance.uniform(0, arguments.seconds)
            told += run_and_kill(TuningChild.start(tune_job(onnx, preset, folder)), delay, number % 3 == 0)
            warnings: list[str] = []
            on_disk = trials_on_disk(folder, target, warnings)
            lost = trials(told) - on_disk
            read_log(log_path(folder / "logs", target.name, "float32"))  # the log is whole too
            print(f"kill {number} ({delay:.1f} s): {trials(told).total()} told, {on_disk.total()} on disk", *warnings)
            if lost:
                print(f"lost: {dict(lost)}")
                return 1
        before = on_disk.total()
        result = run_child("tvm_pipeline", tune_job(onnx, preset, folder, trials=8), TuningResult, block=("torch",))
        after = trials_on_disk(folder, target, warnings := []).total()
        print(f"a last run that was left alone: {result.trials} more, {after} on disk", *warnings)
        return 0 if after == before + result.trials else 1


if __name__ == "__main__":
    sys.exit(main())
