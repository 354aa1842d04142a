"""``compile``"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.cli import arguments, output

if TYPE_CHECKING:
    from mobilenet_tvm.check.checked import Checked

HELP = "compile a network into a package that runs without Python"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("model", metavar="MODEL", help=arguments.MODEL_HELP)
    parser.add_argument("--target", default="native", help=arguments.TARGET_HELP + " (default: native)")
    parser.add_argument("-o", "--output", required=True, metavar="PACKAGE", help="folder to write, or NAME.tar.gz")
    arguments.add_weights(parser)
    arguments.add_dtype(parser)
    arguments.add_calibration(parser)
    parser.add_argument(
        "--cpu", metavar="NAME", help="use what was tuned on this CPU, such as znver4 or sapphirerapids (LLVM's names)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="schedule for N threads (default: the target's)")
    arguments.add_shape(parser)
    arguments.add_logs(parser, "tuning logs to use instead of your own and the checked-in ones")
    parser.add_argument("--labels", metavar="FILE", help="class names, one per line")
    parser.add_argument(
        "--compiler", metavar="CXX", help="link with this C++ compiler, such as aarch64-linux-gnu-g++, not ziglang's"
    )
    parser.add_argument(
        "--static", action="store_true", help="write PACKAGE as one program that needs nothing but Linux"
    )
    parser.add_argument(
        "--no-check", dest="check", action="store_false", help="do not compare the outputs with the ONNX file's first"
    )
    parser.add_argument(
        "--dump", type=Path, metavar="DIR", help="write the module after each phase into files of DIR: Relax, TIR, code"
    )


def _checked(check: Checked | None) -> str:
    if check is None:
        return "not checked"
    where = "" if check.how == "run" else f" when lowered for {check.target}"
    return f"right{where}: off by {check.relative_err:.2g} of the range"


def run(args: argparse.Namespace) -> int:
    """Compile and say what came of it."""
    from mobilenet_tvm.verbs.compile import compile

    with output.progress_on_stderr() as on_event:
        result = compile(**arguments.options(compile, args), on_event=on_event)
    if args.json:
        output.print_json(result)
        return 0
    kernels = ", ".join(f"{count} {record}" for record, count in result.kernels.items() if count)
    print(
        f"{result.package}: {result.model.name} ({result.model.weights}) for {result.target}, "
        f"{result.dtype}, {result.threads} thread(s); kernels: {kernels}; {_checked(result.check)}; "
        f"{result.seconds.total:.1f} s"
    )
    return 0
