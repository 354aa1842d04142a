"""``devices``"""

from __future__ import annotations

import argparse

from mobilenet_tvm.cli import output

HELP = "the boards that a tracker knows, free and busy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument(
        "tracker",
        metavar="tracker://HOST:PORT",
        nargs="?",
        default="tracker://127.0.0.1:9190",
        help="default: tracker://127.0.0.1:9190",
    )
    serves = parser.add_mutually_exclusive_group()
    serves.add_argument("--serve", metavar="[HOST:]PORT", help="run a tracker, by default on this machine alone")
    serves.add_argument(
        "--emulate", metavar="PACKAGE", help="offer the tracker an emulated board with the package's CPU"
    )


def run(args: argparse.Namespace) -> int:
    """Ask and print, or serve."""
    from mobilenet_tvm.verbs.devices import devices, serve_emulated, serve_tracker

    with output.progress_on_stderr() as on_event:
        if args.serve is not None:
            return serve_tracker(args.serve, on_event=on_event)
        if args.emulate is not None:
            return serve_emulated(args.emulate, args.tracker, on_event=on_event)
        result = devices(args.tracker, on_event=on_event)
    if args.json:
        output.print_json(result)
    elif not result.devices:
        print(f"the tracker at {result.tracker} knows no board: on one, ./run.sh --serve HOST:PORT registers it")
    else:
        rows = [
            (device.device, device.free, device.busy, device.waiting, " ".join(device.addresses))
            for device in result.devices
        ]
        output.print_table(("device", ">free", ">busy", ">clients waiting", "addresses"), rows)
    return 0
