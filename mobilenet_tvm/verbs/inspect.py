"""What a package is: its manifest."""

from __future__ import annotations

from pathlib import Path

from mobilenet_tvm.base.document import Whole
from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.package.open import open_package


class Inspected(Manifest):
    """The manifest, and the files' sizes in bytes."""

    package: str
    sizes: dict[str, Whole]


def inspect(package: str | Path) -> Inspected:
    """The manifest of a package, its sums checked, and how large its files are.

    :returns: ``schemas/inspect.json``.
    :raises UserError: it is no package, or damaged.
    """
    with open_package(package) as opened:
        opened.check_sums()
        sizes = {name: (opened.folder / name).stat().st_size for name in opened.manifest.files}
        return Inspected(**opened.manifest, package=str(package), sizes=sizes)
