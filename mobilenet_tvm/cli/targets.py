"""``targets``"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mobilenet_tvm.cli import output

if TYPE_CHECKING:
    from mobilenet_tvm.verbs.targets import DescribedTarget

HELP = "the presets: hardware, what their CPUs must have, how much of the zoo their logs cover"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a preset, an alias, native, or a .toml file")


def _coverage(target: DescribedTarget) -> str:
    return ", ".join(f"{dtype} {100 * share:.0f} %" for dtype, share in (target.coverage or {}).items()) or "none"


def _of_cpus(target: DescribedTarget) -> list[tuple[str, str]]:
    return [
        ("", f"{dtype} of " + ", ".join(f"{cpu} {100 * share:.0f} %" for cpu, share in shares.items()))
        for dtype, shares in (target.cpu_coverage or {}).items()
    ]


def _here(target: DescribedTarget) -> str:
    if target.unsupported is not None:
        return "not supported"
    return "yes" if target.runs_here else f"no: lacks {' '.join(target.missing_here)}"


def _gpu(target: DescribedTarget) -> list[tuple[str, str]]:
    gpu = target.gpu
    if gpu is None:
        return []
    figures = f"{gpu.multiprocessors} multiprocessors at {gpu.clock_mhz:g} MHz, {gpu.bandwidth_gb_s:g} GB/s"
    lines = [("GPU", f"compute capability {gpu.compute_capability / 10:g}, {figures}"), ("driver", str(target.driver))]
    return lines if target.unsupported is None else [*lines, ("unsupported", target.unsupported)]


def _print_one(target: DescribedTarget) -> None:
    print(f"{target.name}: {target.title}")
    tvm = " ".join(f"{key}={value}" for key, value in target.tvm.items())
    for key, value in (
        ("aliases", " ".join(target.aliases)),
        ("TVM target", tvm),
        ("needs", " ".join(target.cpu_features)),
        ("vectors", f"{target.vector_bits} bits"),
        *_gpu(target),
        ("threads", target.threads),
        ("logs of", " ".join(target.logs)),
        ("zoo in logs", _coverage(target)),
        *_of_cpus(target),
        ("runs here", _here(target)),
        ("remarks", target.remarks),
    ):
        print(f"  {key:<12} {value}")


def run(args: argparse.Namespace) -> int:
    """Print the presets or one target."""
    from mobilenet_tvm.verbs.targets import targets

    with output.progress_on_stderr() as on_event:
        result = targets(args.name, on_event=on_event)
    if args.json:
        output.print_json(result)
    elif isinstance(result, list):
        rows = [(t.name, t.title, " ".join(t.aliases), t.driver or "", _coverage(t), _here(t)) for t in result]
        output.print_table(("target", "hardware", "aliases", "driver", "zoo in logs", "runs here"), rows)
    else:
        _print_one(result)
    return 0
