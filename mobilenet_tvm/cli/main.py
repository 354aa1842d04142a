"""``mobilenet-tvm``: finds the verb, runs it, and turns an error into one line and an exit code."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import NoReturn

from mobilenet_tvm.base.child import DEBUG_VARIABLE
from mobilenet_tvm.base.errors import SystemFailure, UserError, unknown
from mobilenet_tvm.base.protocol import EXIT_INTERRUPTED, EXIT_SYSTEM, EXIT_USER

PROGRAM = "mobilenet-tvm"
VERBS = (
    "models",
    "targets",
    "export",
    "train",
    "compile",
    "tune",
    "run",
    "bench",
    "compare",
    "profile",
    "verify",
    "inspect",
    "logs",
    "devices",
    "doctor",
    "cache",
)
_DESCRIPTION = """MobileNets, and any CNN in ONNX, through Apache TVM.

MODEL is a name of the zoo (mobilenet-tvm models), an .onnx file, or file.py:factory, a function that returns an
nn.Module. PACKAGE is a folder that compile wrote, its .tar.gz, or a program of compile --static. TARGET is a preset's
name (mobilenet-tvm targets), an alias, native, or a .toml file."""


class _Parser(argparse.ArgumentParser):
    """Mistakes of the user's are errors like all others: one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help")


class _Version(argparse.Action):
    """Asks for the versions only when they are wanted."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="versions of this, TVM, LLVM and the schemas")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from mobilenet_tvm.cli.version import version_lines

        print("\n".join(version_lines()))
        parser.exit()


def _common() -> _Parser:
    """Options that stand before the verb or after it."""
    common = _Parser(add_help=False)
    group = common.add_argument_group("everywhere")
    group.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="JSON, and nothing else, on standard output"
    )
    group.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="tracebacks, and what the libraries print"
    )
    return common


def _verb_module(verb: str) -> ModuleType:
    return import_module(f"mobilenet_tvm.cli.{verb}")


def build_parser() -> argparse.ArgumentParser:
    """The parser with every verb's arguments; imports nothing heavy."""
    common = _common()
    parser = _Parser(
        prog=PROGRAM, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter, parents=[common]
    )
    parser.add_argument("--version", action=_Version)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=_Parser)
    for verb in VERBS:
        module = _verb_module(verb)
        sub = verbs.add_parser(verb, help=module.HELP, description=module.HELP, parents=[common])
        module.add_arguments(sub)
    return parser


def _check_verb(arguments: Sequence[str]) -> None:
    """argparse would answer an unknown verb with all of them; we offer the nearest one."""
    verb = next((argument for argument in arguments if not argument.startswith("-")), None)
    if verb is not None and verb not in VERBS:
        raise unknown("verb", verb, VERBS)


def _run(arguments: Sequence[str]) -> int:
    _check_verb(arguments)
    parser = build_parser()
    args = parser.parse_args(arguments)
    if args.verb is None:
        parser.print_help()
        return 0
    args.json, args.debug = getattr(args, "json", False), getattr(args, "debug", False)
    if args.debug:
        os.environ[DEBUG_VARIABLE] = "1"
    code: int = _verb_module(args.verb).run(args)
    sys.stdout.flush()
    return code


def _fail(message: str, detail: str, code: int, debug: bool) -> int:
    if debug:
        print(traceback.format_exc(), detail, sep="\n", file=sys.stderr)
    print(f"{PROGRAM}: {message}", file=sys.stderr)
    return code


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: 0, 1 (the system failed), 2 (the user erred), 130 (interrupted)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _run(arguments)
    except UserError as error:
        return _fail(str(error), "", EXIT_USER, debug)
    except SystemFailure as error:
        return _fail(str(error), error.detail, EXIT_SYSTEM, debug)
    except KeyboardInterrupt:
        return _fail("interrupted", "", EXIT_INTERRUPTED, debug)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _fail(f"{type(error).__name__}: {' '.join(str(error).split())}", "", EXIT_SYSTEM, debug)


if __name__ == "__main__":
    sys.exit(main())
