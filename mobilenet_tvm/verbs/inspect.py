"""What a package is: its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mobilenet_tvm.package.open import open_package


def inspect(package: str | Path) -> dict[str, Any]:
    """The manifest of a package, its sums checked, and how large its files are.

    :returns: ``schemas/inspect.json``.
    :raises UserError: it is no package, or damaged.
    """
    with open_package(package) as opened:
        opened.check_sums()
        manifest = opened.manifest.to_json()
        sizes = {name: (opened.folder / name).stat().st_size for name in opened.manifest.files}
    return {**manifest, "package": str(package), "sizes": sizes}
