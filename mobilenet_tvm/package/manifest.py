"""``manifest.json``: what a package says about itself. Its published form is ``schemas/manifest.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.errors import UserError

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
TOLERANCE = 1e-4  # largest error of a float32 package, as a share of the output's range
_ADDED_LATER = frozenset({"device_code", "tolerance"})


@dataclass(frozen=True)
class Manifest:
    """A package's manifest.

    :ivar model: ``name``, ``onnx_sha256``, ``weights`` (whose they are).
    :ivar target: ``name``, ``arch``, ``cpu_features`` that a CPU must have, ``tvm`` (the TVM target).
    :ivar threads: how many threads it was scheduled for.
    :ivar inputs: name, shape and dtype of each input; ``outputs`` likewise.
    :ivar preprocessing: how an image becomes the input; None where the input is no image.
    :ivar labels: a name per class, or None.
    :ivar kernels: per kernel its layer and the record that its schedule came from.
    :ivar device_code: of a GPU's package: ``arch`` of the machine code, ``ptx``, ``driver`` (least branch), ``source``
        (its file, with ``source_sha256``), ``fatbin_sha256``, and what each of its ``kernels`` takes; else None.
    :ivar tolerance: largest error of the outputs, as a share of the reference's range, that a self-test lets pass.
    :ivar files: SHA-256 of every file but the manifest, by its path in the package.
    """

    model: dict[str, Any]
    target: dict[str, Any]
    dtype: str
    threads: int
    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    preprocessing: dict[str, Any] | None
    labels: list[str] | None
    versions: dict[str, str]
    kernels: list[dict[str, Any]]
    files: dict[str, str] = field(default_factory=dict)
    device_code: dict[str, Any] | None = None
    tolerance: float = TOLERANCE
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> dict[str, Any]:
        """The manifest as plain JSON values, the schema's version first."""
        return {"schema_version": self.schema_version, **asdict(self)}

    def write(self, folder: Path) -> None:
        """Write ``manifest.json`` into a folder that nobody reads yet."""
        (folder / MANIFEST).write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")


def read_manifest(folder: Path, shown: str) -> Manifest:
    """Read a folder's manifest.

    :param shown: what the user called the package.
    :raises UserError: there is none, it is not JSON, has another schema, or lacks a key.
    """
    try:
        values = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{shown} is not a package: it holds no {MANIFEST}") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{shown}: its {MANIFEST} cannot be read: {error}") from error
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{shown} has manifest schema {version}; this version reads {SCHEMA_VERSION}: "
            "update mobilenet-tvm, or compile the package again"
        )
    names = set(Manifest.__dataclass_fields__)
    if missing := sorted(names - _ADDED_LATER - set(values)):
        raise UserError(f"{shown}: its {MANIFEST} lacks {', '.join(missing)}")
    return Manifest(**{key: value for key, value in values.items() if key in names})
