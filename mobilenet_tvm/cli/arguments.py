"""Arguments that several verbs share, spelled once."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from inspect import signature
from typing import Any

from mobilenet_tvm.base.errors import UserError

MODEL_HELP = "a name of the zoo, an .onnx file, or file.py:factory"
PACKAGE_HELP = "a package's folder, its .tar.gz, or a program that compile --static wrote"
TARGET_HELP = "a preset's name, an alias, native, or a .toml file"


def add_weights(parser: argparse.ArgumentParser) -> None:
    """``--weights``"""
    parser.add_argument(
        "--weights",
        metavar="imagenet|random|FILE",
        help="by default imagenet where those weights can be had for the model, else random",
    )


def add_shape(parser: argparse.ArgumentParser) -> None:
    """``--shape`` and ``--outputs``"""
    parser.add_argument("--shape", action="append", metavar="NAME:1x3x224x224", help="the shape of a dynamic input")
    parser.add_argument(
        "--outputs", type=names, metavar="NAME,NAME", help="compute these tensors of the file, and nothing behind them"
    )


def add_dtype(parser: argparse.ArgumentParser) -> None:
    """``--dtype``"""
    what = "float32; int8 for CPUs, bfloat16 for those with AVX512-BF16, float16 for NVIDIA GPUs (default: float32)"
    parser.add_argument("--dtype", default="float32", help=what)


def add_logs(parser: argparse.ArgumentParser, what: str) -> None:
    """``--logs``"""
    parser.add_argument("--logs", metavar="DIR", help=what)


def add_calibration(parser: argparse.ArgumentParser) -> None:
    """``--calibration`` and ``--keep-quantised``"""
    parser.add_argument(
        "--calibration", metavar="DIR", help="with --dtype int8: images that show the network's ranges, 100 or more"
    )
    parser.add_argument(
        "--keep-quantised", metavar="FILE.onnx", help="with --dtype int8: write the quantised network (QDQ) there too"
    )


def add_emulate(parser: argparse.ArgumentParser) -> None:
    """``--emulate``"""
    parser.add_argument("--emulate", action="store_true", help="let QEMU run it here, as the CPU it was compiled for")


def add_device(parser: argparse.ArgumentParser, what: str = "run it on a free board that a tracker knows") -> None:
    """``--device``"""
    parser.add_argument("--device", metavar="tracker://HOST:PORT/KEY", help=what)


def counts(text: str) -> list[int]:
    """``1,2`` -> ``[1, 2]``.

    :raises UserError: it is no list of positive numbers.
    """
    parts = text.split(",")
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UserError(f"{text!r} is no list of positive numbers, such as 1,2")
    return [int(part) for part in parts]


def names(text: str) -> list[str]:
    """``a,b`` -> ``["a", "b"]``."""
    return [part for part in text.split(",") if part]


def options(verb: Callable[..., object], args: argparse.Namespace) -> dict[str, Any]:
    """What was given on the command line of a verb's options, by their names in Python."""
    return {name: value for name, value in vars(args).items() if name in signature(verb).parameters}
