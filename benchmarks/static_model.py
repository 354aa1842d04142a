"""The static model of an ARM core, applied to one inference of a whole network by this project, ncnn or TFLite.

    python benchmarks/static_model.py package PACKAGE --core cortex-a72
    python benchmarks/static_model.py ncnn PREFIX --core cortex-a72 --root ROOT --site SITE
    python benchmarks/static_model.py tflite FILE.tflite --core cortex-a72 --root ROOT --site SITE

ROOT is an unpacked arm64 Debian with Python, SITE a folder with the engine's unpacked aarch64 wheels:
docs/static_model.md says how to make them. One JSON line is printed, or appended to --results FILE. Nothing here is a
measured time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from mobilenet_tvm.base.compilers.zig import run_zig
from mobilenet_tvm.places.qemu import sysroot
from tvm_pipeline.backends.arm_model.core import CORES, Core
from tvm_pipeline.backends.arm_model.estimate import Estimate, estimate
from tvm_pipeline.backends.arm_model.execution import Execution, execute
from tvm_pipeline.backends.arm_model.program import build_plugin
from tvm_pipeline.backends.arm_model.throughput import Throughput

HERE = Path(__file__).parent
TIMEOUT = 900.0
FEW, MORE = 2, 3
"""Timed inferences of the two runs of a package whose difference counts; with one alone there is no warming up."""


def of_package(package: Path, core: Core, plugin: Path) -> tuple[Execution, int]:
    """Two runs of ``mobilenet-run``, and how many inferences one makes more than the other."""
    program = [str(package / "bin" / "mobilenet-run"), str(package), "--threads", "1", "--repeat"]
    folder = sysroot("aarch64")
    libraries = ["-L", str(folder)] if folder is not None else []
    few, more = (execute([*libraries, *program, str(count)], core, plugin, TIMEOUT) for count in (FEW, MORE))
    return more - few, MORE - FEW


def of_python(script: str, arguments: list[str], root: Path, site: Path, core: Core, plugin: Path) -> Execution:
    """A script in the emulated system's Python."""
    with tempfile.TemporaryDirectory() as folder:
        marks = Path(folder) / "marks.so"
        source = str(HERE / "emulated" / "marks.c")
        run_zig("cc", "-target", "aarch64-linux-gnu.2.28", "-O2", "-shared", "-nostdlib", source, "-o", str(marks))
        variables = {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
        emulator = ["-L", str(root), *(word for item in variables.items() for word in ("-E", "=".join(item)))]
        program = [str(root / "usr" / "bin" / "python3"), str(HERE / "emulated" / script), str(marks), *arguments]
        return execute([*emulator, *program], core, plugin, TIMEOUT)


def summary(name: str, engine: str, core: Core, modelled: Estimate, count: int) -> dict[str, object]:
    """Per inference, in millions."""
    return {
        "engine": engine,
        "network": name,
        "core": core.name,
        "pipeline": round((modelled.pipeline_cycles + modelled.branch_cycles) / count / 1e6, 2),
        "memory": round(modelled.memory_cycles / count / 1e6, 2),
        "instructions": {
            kind: round(number / count / 1e6, 3) for kind, number in sorted(modelled.instructions.items())
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=("package", "ncnn", "tflite"))
    parser.add_argument("network", type=Path)
    parser.add_argument("--core", choices=list(CORES), required=True)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--site", type=Path)
    parser.add_argument("--float32", action="store_true", help="ncnn on a core with fp16: do without it")
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    core, network, count = CORES[given.core], given.network.resolve(), 1
    with tempfile.TemporaryDirectory() as folder:
        plugin = build_plugin(Path(folder))
        if given.engine == "package":
            execution, count = of_package(network, core, plugin)
        elif given.root is None or given.site is None:
            sys.exit("--root and --site are needed: docs/static_model.md says what they are")
        else:
            arguments = [str(network), *(["--float32"] if given.float32 else [])]
            script = f"{given.engine}_once.py"
            execution = of_python(script, arguments, given.root.resolve(), given.site.resolve(), core, plugin)
    modelled = estimate(execution, core, Throughput(core))
    line = json.dumps(summary(given.network.stem, given.engine, core, modelled, count))
    if given.results is None:
        print(line)
    else:
        with given.results.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


if __name__ == "__main__":
    main()
