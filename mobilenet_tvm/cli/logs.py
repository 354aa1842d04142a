"""``logs``"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mobilenet_tvm.base.document import UNSET
from mobilenet_tvm.base.protocol import EXIT_SYSTEM
from mobilenet_tvm.cli import arguments, output

if TYPE_CHECKING:
    from mobilenet_tvm.verbs.logs import LogsShown

HELP = "the tuning logs: show them, check them, export them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parts = parser.add_subparsers(dest="what", metavar="show|check|export", required=True)
    show = parts.add_parser("show", help="what they hold")
    show.add_argument("--all", action="store_true", help="every record")
    show.add_argument("--target", help="only this target's own")
    check = parts.add_parser("check", help="replay, build and verify every line with this TVM")
    export = parts.add_parser("export", help="write a MetaSchedule database, which anyone's TVM opens")
    export.add_argument("--metaschedule", required=True, metavar="DIR", help="the folder to write")
    for part in (check, export):
        part.add_argument("--target", default="native", help=arguments.TARGET_HELP + " (default: native)")
        arguments.add_dtype(part)
    for part in (show, check, export):
        arguments.add_logs(part, "the logs of this folder instead of your own and the checked-in ones")
        part.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        part.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _print_shown(result: LogsShown) -> None:
    rows = [
        (
            log.target,
            log.dtype,
            log.layers,
            " ".join(map(str, log.threads)),
            ", ".join(f"{count} {record}" for record, count in log.by_record.items()),
            ", ".join(f"{count} {cpu}" for cpu, count in log.by_cpu.items()),
            " ".join(log.campaigns),
            log.folder,
        )
        for log in result.logs
    ]
    output.print_table(("target", "dtype", ">layers", "threads", "records", "CPUs", "campaigns", "folder"), rows)
    print(f"{result.trials} finished trials in your tuning databases")
    if result.records is not UNSET:
        print()
        records = [
            (r.target, r.dtype, r.layer, r.threads, f"{1e3 * r.seconds:.4f}", r.record, r.cpu or "", r.campaign)
            for r in result.records
        ]
        output.print_table(("target", "dtype", "layer", ">threads", ">ms", "record", "CPU", "campaign"), records)


def _show(args: argparse.Namespace) -> int:
    from mobilenet_tvm.verbs.logs import logs_show

    result = logs_show(**arguments.options(logs_show, args))
    if args.json:
        output.print_json(result)
    else:
        _print_shown(result)
    return 0


def _check(args: argparse.Namespace) -> int:
    from mobilenet_tvm.verbs.logs import logs_check

    with output.progress_on_stderr() as on_event:
        result = logs_check(**arguments.options(logs_check, args), on_event=on_event)
    if args.json:
        output.print_json(result)
    else:
        for line in result.failed:
            print(f"no longer applies: {line.layer}, {line.threads} thread(s): {line.error}")
        print(f"{result.checked} lines checked, {len(result.failed)} no longer apply")
    return EXIT_SYSTEM if result.failed else 0


def _export(args: argparse.Namespace) -> int:
    from mobilenet_tvm.verbs.logs import logs_export

    with output.progress_on_stderr() as on_event:
        result = logs_export(**arguments.options(logs_export, args), on_event=on_event)
    if args.json:
        output.print_json(result)
    else:
        print(f"{args.metaschedule}: {result.records} records")
    return 0


def run(args: argparse.Namespace) -> int:
    """Show, check or export."""
    return {"show": _show, "check": _check, "export": _export}[args.what](args)
