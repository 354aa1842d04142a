"""Section of the page: what a first inference costs, in peak memory and in time from the start of the process.

Every engine is driven the same way, from Python, in a new process per round; the engines take turns. The files are in
the page cache.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from beside_peers import LARGE, PEERS, Run
from page import Section

import mobilenet_tvm
from mobilenet_tvm import engines

BARE = "bare process"
_CHILD = """
import sys
from pathlib import Path
import numpy as np
from mobilenet_tvm import engines
name, model, size = sys.argv[1:]
x = np.ones((1, 3, int(size), int(size)), np.float32)
if model:
    engine = engines.find(name)()
    engine.load(Path(model), 1, "float32")
    assert np.isfinite(engine.bind([x])()[0]).all()
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


def once(engine: str, model: Path | None, size: int) -> tuple[float, float]:
    """Milliseconds from start to end, and the peak resident memory in MiB, of one process."""
    environment = dict(os.environ)
    if model is not None:
        environment |= engines.find(engine).environment(1)
    command = [sys.executable, "-c", _CHILD, engine, str(model or ""), str(size)]
    start = time.perf_counter()
    child = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    elapsed = time.perf_counter() - start
    return elapsed * 1e3, int(child.stdout.split()[-1]) / 1024


def footprint(run: Run) -> Section:
    """One network, once in a process of its own, by each engine and by none."""
    (network,) = run.networks(LARGE[:1])
    with tempfile.TemporaryDirectory() as folder:
        onnx, package = Path(folder) / "network.onnx", Path(folder) / "package"
        mobilenet_tvm.export(network, onnx, weights="random")
        mobilenet_tvm.compile(network, "native", package, weights="random")
        size = int(network.rpartition("_")[2])
        models = {BARE: None, "tvm": package, **dict.fromkeys(PEERS, onnx)}
        rounds = [{name: once(name, model, size) for name, model in models.items()} for _ in range(run.rounds)]
    bare = [measured[BARE] for measured in rounds]
    return Section(
        "The first result",
        f"{network}, target `native`: milliseconds from the start of a Python process to its first result, and peak "
        "memory above that of a process that has imported NumPy, made the input and done nothing more.",
        run.conditions(),
        f"python benchmarks/figures.py footprint --rounds {run.rounds}",
        ("process", ">ms", ">p10 to p90", ">MiB above"),
        [_row(name, [measured[name] for measured in rounds], bare) for name in models],
    )


def _row(name: str, measured: list[tuple[float, float]], bare: list[tuple[float, float]]) -> tuple[str, ...]:
    times = [milliseconds for milliseconds, _ in measured]
    tenths = statistics.quantiles(times, n=10, method="inclusive")
    above = [memory - empty for (_, memory), (_, empty) in zip(measured, bare, strict=True)]
    spread = f"{tenths[0]:.0f} to {tenths[-1]:.0f}"
    return name, f"{statistics.median(times):.0f}", spread, f"{statistics.median(above):.1f}"
