"""Sections of the page without other engines: a core's peak, compiling, what is modelled without the hardware."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from beside_peers import LARGE, LOGS, Run, runnable
from page import Section, conditions
from static_model import of_package, summary

import mobilenet_tvm
from mobilenet_tvm.base.paths import CACHE_VARIABLE, cache_dir
from tvm_pipeline.backends.arm_model.core import CORES
from tvm_pipeline.backends.arm_model.estimate import estimate
from tvm_pipeline.backends.arm_model.program import build_plugin
from tvm_pipeline.backends.arm_model.throughput import Throughput


def _package(network: str, target: str, folder: str) -> Path:
    package = Path(folder) / target
    mobilenet_tvm.compile(network, target, package, threads=1, weights="random", logs=LOGS)
    return package


def peak(run: Run) -> Section:
    """How much of the core's measured multiply-add rate whole networks reach."""
    target, rows, shown = runnable()[0], [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for network in run.networks(LARGE):
            result: Mapping[str, Any] = mobilenet_tvm.profile(_package(network, target, f"{folder}/{network}"))
            shown = result["peak_gmacs"]
            milliseconds, millions = result["total_ms"], result["mult_adds"] / 1e6
            rows.append((network, f"{milliseconds:.2f}", f"{millions:.0f}", f"{result['peak_share']:.1%}"))
    return Section(
        "Share of the core's peak",
        "One thread: the multiply-adds of a network's definition, over its time and the measured FMA peak of one core. "
        "Large pointwise layers are computed by [Strassen's algorithm](tuning.md), with an eighth fewer multiply-adds.",
        conditions(),
        f"mobilenet-tvm compile NETWORK --target {target} --threads 1 --logs tuning_logs --weights random -o PACKAGE\n"
        "mobilenet-tvm profile PACKAGE",
        ("network", ">ms", ">M multiply-adds", ">share of the peak"),
        rows,
        f"The peak of one core was {shown:.0f} GMAC/s.",
    )


def _seconds(words: list[object], cache: Path) -> str:
    """How long a command takes that finds in the cache the runner alone, and what an earlier one left there."""
    if not cache.exists():
        cache.mkdir()
        (cache_dir() / "runner").mkdir(parents=True, exist_ok=True)
        (cache / "runner").symlink_to(cache_dir() / "runner")
    begin = time.perf_counter()
    environment = {**os.environ, CACHE_VARIABLE: str(cache)}
    command = [sys.executable, "-m", "mobilenet_tvm.cli.main", *map(str, words)]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return f"{time.perf_counter() - begin:.1f}"


def compiling(run: Run) -> Section:
    """The command `compile`, from a file and from a name of the zoo."""
    (network,) = run.networks(LARGE[:1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        onnx = folder / "network.onnx"
        mobilenet_tvm.export(network, onnx, weights="random")
        more = ["--logs", LOGS, "-o", folder / "package"]
        named = ["compile", network, "--weights", "random", *more]
        rows = [
            ("`compile FILE.onnx`", _seconds(["compile", onnx, *more], folder / "of_file")),
            (f"`compile {network}`", _seconds(named, folder / "of_name")),
            ("the same again: its export is in the cache", _seconds(named, folder / "of_name")),
        ]
    return Section(
        "Compiling",
        "Seconds of the whole command with an empty cache, but for the runner; schedules from the checked-in logs.",
        conditions(),
        "time mobilenet-tvm compile ...",
        ("command", ">s"),
        rows,
    )


def raspberry(run: Run) -> Section:
    """One inference on a Raspberry Pi 4, as an emulator counts it and the static model sees it."""
    (network,) = run.networks(LARGE[:1])
    core = CORES["cortex-a72"]
    with tempfile.TemporaryDirectory() as folder:
        execution, count = of_package(_package(network, "rpi4", folder), core, build_plugin(Path(folder)))
    counted: dict[str, Any] = summary(network, "package", core, estimate(execution, core, Throughput(core)), count)
    instructions = counted["instructions"]
    millions = (sum(instructions.values()), instructions["fmla"], counted["pipeline"] + counted["memory"])
    return Section(
        "Raspberry Pi 4, modelled",
        "Millions of one inference with one thread: instructions and vector multiply-adds are counted, cycles are "
        "those of the [static model](static_model.md), where ncnn and TFLite stand beside them. No board has been "
        "measured.",
        conditions(),
        "python benchmarks/static_model.py package PACKAGE --core cortex-a72",
        ("network", ">M instructions", ">M vector multiply-adds", ">M cycles"),
        [(network, *(f"{number:.0f}" for number in millions))],
    )


def gpu(run: Run) -> Section:
    """One inference on an A100, as the emulated GPU counts it and the model sees it."""
    (network,) = run.networks(LARGE[:1])
    with tempfile.TemporaryDirectory() as folder:
        result: Mapping[str, Any] = mobilenet_tvm.profile(_package(network, "a100", folder), emulate=True)
    counted = [kernel["emulated"] for kernel in result["kernels"]]
    megabytes = [
        sum(kernel["launches"] * kernel[key] for kernel in counted) / 1e6 for key in ("unique_bytes", "global_bytes")
    ]
    microseconds = (result["estimated_us"], result["launches"] * result["launch_us"])
    row = (network, str(result["launches"]), *(f"{number:.1f}" for number in megabytes))
    return Section(
        "A100, modelled",
        "One inference: launches, megabytes that have to be read and written (every weight and activation once) and "
        "megabytes that the kernels ask for, both counted by the [emulated GPU](emulated_gpu.md); microseconds by the "
        "[model of the GPU](gpu_model.md). No card has been measured.",
        conditions(),
        "mobilenet-tvm profile PACKAGE --emulate",
        ("network", ">launches", ">MB moved", ">MB asked for", ">us", ">us for launches"),
        [(*row, *(f"{number:.0f}" for number in microseconds))],
    )
