"""What a first inference costs: peak memory, and time from the start of the process to the first result.

    python benchmarks/footprint.py [MODEL] [--target native] [--engines tvm,onnxruntime,openvino] [--rounds 15]

Every engine is driven the same way, from Python, in a new process per round; the engines take turns. Memory is what
lies above a process that has imported NumPy and made the input, and nothing more. The files are in the page cache.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mobilenet_tvm
from mobilenet_tvm import engines
from mobilenet_tvm.cli.output import print_table
from mobilenet_tvm.package.manifest import read_manifest

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
    assert np.isfinite(engine.bind(x)()).all()
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="mobilenet_v1_1.0_224")
    parser.add_argument("--target", default="native")
    parser.add_argument("--engines", default="tvm,onnxruntime,openvino")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    names = [BARE, *args.engines.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        onnx, package = Path(folder) / "network.onnx", Path(folder) / "package"
        mobilenet_tvm.export(args.model, onnx, weights="random")
        mobilenet_tvm.compile(args.model, args.target, package, weights="random")
        size = int(read_manifest(package, str(package)).inputs[0]["shape"][-1])
        models = {name: None if name == BARE else package if name == "tvm" else onnx for name in names}
        rounds = [{name: once(name, models[name], size) for name in names} for _ in range(args.rounds)]
    print_table(
        ("process", ">ms to the first result", ">p10 to p90", ">MiB above the bare process"),
        [_row(name, [one[name] for one in rounds], [one[BARE] for one in rounds]) for name in names],
    )
    return 0


def _row(name: str, measured: list[tuple[float, float]], bare: list[tuple[float, float]]) -> tuple[str, ...]:
    times = sorted(milliseconds for milliseconds, _ in measured)
    tenth = statistics.quantiles(times, n=10)
    above = [memory - empty for (_, memory), (_, empty) in zip(measured, bare, strict=True)]
    spread = f"{tenth[0]:.0f} to {tenth[-1]:.0f}"
    return name, f"{statistics.median(times):.0f}", spread, f"{statistics.median(above):.1f}"


if __name__ == "__main__":
    raise SystemExit(main())
