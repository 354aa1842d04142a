"""``profile``"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mobilenet_tvm.cli import arguments, output

if TYPE_CHECKING:
    from mobilenet_tvm.verbs.profile import Profiled
    from mobilenet_tvm.verbs.profile_gpu import CountedLaunches, GpuProfiled

HELP = "where the time goes: per layer its time and share of this CPU's peak; of a GPU's package what a model says"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("package", metavar="PACKAGE", help=arguments.PACKAGE_HELP)
    parser.add_argument("--threads", type=int, metavar="N", help="default: as many as it was scheduled for")
    parser.add_argument("--repeat", type=int, metavar="N", help="inferences (default: 50, emulated 1)")
    arguments.add_emulate(parser)
    arguments.add_device(parser)


def _print_emulated(result: Profiled) -> None:
    """What an emulator can tell of the layers: nothing of a board's time."""
    print(f"{result.model} for {result.target}, {result.dtype}, {result.threads} thread(s)")
    rows = [
        (
            layer.name,
            f"{layer.mult_adds / 1e6:.2f}",
            f"{layer.bytes / 1e6:.2f}" if layer.bytes is not None else "",
            layer.record,
            f"{layer.ms:.1f}",
        )
        for layer in result.layers
    ]
    output.print_table(("layer", ">M Mult-Adds", ">MB", "record", ">emulator's ms"), rows)


def _counted(counts: CountedLaunches | None) -> list[str]:
    """What the emulated GPU counted of a kernel."""
    if counts is None:
        return ["0", "", ""]
    return [f"{counts.launches}", f"{counts.global_bytes / 1e6:.2f}", f"{counts.unique_bytes / 1e6:.2f}"]


def _print_gpu(result: GpuProfiled) -> None:
    """Launches, bytes and the model's time per kernel; measured ones where there are any."""
    print(f"{result.model} for {result.target}, {result.dtype}; modelled for {result.card}, not measured:")
    measured, emulated = result.total_ms is not None, result.where == "emulated"
    rows = [
        (
            kernel["layer"] or kernel["name"],
            f"{kernel['calls']}",
            "x".join(map(str, kernel["grid"])),
            "x".join(map(str, kernel["block"])),
            f"{kernel['registers']}",
            f"{kernel['shared_bytes'] / 1024:.1f}",
            f"{kernel['occupancy']:.0%}",
            f"{kernel['waves']:.2f}",
            f"{kernel['global_bytes'] / 1e6:.2f}",
            f"{kernel['unique_bytes'] / 1e6:.2f}",
            f"{(kernel['flops'] + kernel['tensor_flops']) / 1e6:.1f}",
            f"{kernel['estimated_us']:.2f}",
            kernel["bound"],
            *([f"{kernel['measured_us']:.2f}" if kernel["measured_us"] is not None else ""] if measured else []),
            *(_counted(kernel.emulated) if emulated else []),
            kernel["record"],
        )
        for kernel in result.kernels
    ]
    heading = (
        *("layer", ">calls", ">grid", ">block", ">registers", ">KiB shared", ">occupancy", ">waves", ">MB asked"),
        *(">MB unique", ">MFLOP", ">modelled us", "bound by", *([">measured us"] if measured else [])),
        *((">launches emulated", ">MB asked", ">MB unique") if emulated else ()),
        "record",
    )
    output.print_table(heading, rows)
    asked, unique = result.global_bytes, result.unique_bytes
    flops = result.flops + result.tensor_flops
    print(
        f"{result.launches} launches, {flops / 1e6:.1f} MFLOP, {asked / 1e6:.1f} MB asked of memory, "
        f"{unique / 1e6:.1f} of them unique ({asked / unique:.2f} x); modelled: "
        f"{result.estimated_us:.1f} us, {result.launch_us} us per launch among them"
    )
    if measured:
        print(f"measured: {result.total_ms:.3f} ms (median of {result.runs})")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    from mobilenet_tvm.verbs.profile import profile
    from mobilenet_tvm.verbs.profile_gpu import GpuProfiled

    with output.progress_on_stderr() as on_event:
        result = profile(**arguments.options(profile, args), on_event=on_event)
    if args.json:
        output.print_json(result)
        return 0
    if isinstance(result, GpuProfiled):
        _print_gpu(result)
        return 0
    output.print_where(result.where, result.device, result.target)
    if result.where == "emulated":
        _print_emulated(result)
        return 0
    print(f"{result.model} for {result.target}, {result.dtype}, {result.threads} thread(s), on {result.conditions.cpu}")
    explained = any(layer.why for layer in result.layers)
    rows = [
        (
            layer.name,
            f"{layer.ms:.4f}",
            f"{layer.gmacs_per_s:.1f}",
            f"{layer.peak_share:.0%}",
            f"{layer.bytes / 1e6:.2f}" if layer.bytes is not None else "",
            layer.dtype or "",
            layer.record,
            layer.generator or "",
            *([layer.why or ""] if explained else []),
        )
        for layer in result.layers
    ]
    columns = ("layer", ">ms", ">GMAC/s", ">of peak", ">MB", "dtype", "record", "schedule")
    heading = [*columns, *(["why not in int8"] if explained else [])]
    rows.append(("outside of kernels", f"{result.other_ms:.4f}", *[""] * (len(heading) - 2)))
    output.print_table(heading, rows)
    print(
        f"{result.total_ms:.3f} ms (median of {result.runs}), {result.mult_adds / 1e6:.1f} M Mult-Adds: "
        f"{result.peak_share:.1%} of the measured peak"
    )
    print("peak: " + ", ".join(f"{dtype} {gmacs:.1f} GMAC/s" for dtype, gmacs in result.peaks.items()))
    return 0
