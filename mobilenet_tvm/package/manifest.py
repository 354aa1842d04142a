"""``manifest.json``: what a package says about itself. Its published form is ``schemas/manifest.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, ValidationError

from mobilenet_tvm.base.compiled import DeviceCode, Dtype, Kernel, Quantisation, Tensor
from mobilenet_tvm.base.document import UNSET, Count, Document, Factor, Sha256, UnsetType
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.preprocessing import Preprocessing

MANIFEST = "manifest.json"
SCHEMA_VERSION: Literal[1] = 1
TOLERANCE = 1e-4  # largest error of a float32 package, as a share of the output's range
TOLERANCES = {"float32": TOLERANCE, "float16": 1e-2, "int8": TOLERANCE}
"""Largest error of the outputs, as a share of their range, that a right package of that dtype may have."""


class Network(Document):
    """What was compiled.

    :ivar weights: whose they are.
    """

    name: str
    onnx_sha256: Sha256
    weights: str


class CompiledTarget(Document):
    """What it was compiled for.

    :ivar cpu_features: what a CPU must have, as in the flags of /proc/cpuinfo.
    :ivar emulator: the CPU model by which QEMU emulates it; null where QEMU cannot.
    :ivar tvm: the TVM target.
    :ivar cpu: LLVM's name of the CPU whose tuning records were wanted; null: what serves all CPUs best.
    :ivar gpu: published figures of the GPU; null for a CPU.
    """

    name: str
    arch: str
    cpu_features: tuple[str, ...]
    emulator: str | UnsetType | None = UNSET
    tvm: dict[str, Any]
    cpu: str | UnsetType | None = UNSET
    gpu: dict[str, int | float] | UnsetType | None = UNSET


class OutputTensor(Tensor):
    """An output of the network.

    :ivar step: of a quantised network: a step of it, the largest error that a self-test lets pass, in its own unit.
    """

    step: Factor | UnsetType = UNSET


def outputs_with_steps(outputs: Sequence[Tensor], steps: Sequence[float | None]) -> tuple[OutputTensor, ...]:
    """Outputs as the pipeline tells them, with what the ONNX file tells of them."""
    return tuple(
        OutputTensor(**output, step=step if step is not None else UNSET)
        for output, step in zip(outputs, steps, strict=True)
    )


class Versions(Document):
    """Of what made it.

    :ivar linker: what linked the module, and its version.
    """

    mobilenet_tvm: str
    tvm: str
    tvm_ffi: str
    llvm: str
    linker: str | UnsetType = UNSET


class Manifest(Document):
    """A package's manifest.

    :ivar threads: what it was scheduled for.
    :ivar preprocessing: how an image becomes the input; null where the input is no image.
    :ivar labels: a name per class.
    :ivar kernels: per kernel its layer and the record that its schedule came from.
    :ivar device_code: of a GPU's package; null for a CPU's.
    :ivar tolerance: largest error of the outputs, as a share of their range, that a self-test lets pass.
    :ivar files: SHA-256 of every file but the manifest.
    :ivar quantisation: where a float network was quantised first, how; ``model.onnx_sha256`` is the quantised file's.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    model: Network
    target: CompiledTarget
    dtype: Dtype
    threads: Count
    inputs: Annotated[tuple[Tensor, ...], Meta(min_length=1)]
    outputs: Annotated[tuple[OutputTensor, ...], Meta(min_length=1)]
    preprocessing: Preprocessing | None
    labels: tuple[str, ...] | None
    versions: Versions
    kernels: tuple[Kernel, ...]
    files: dict[str, Sha256]
    device_code: DeviceCode | None = None
    tolerance: Factor = TOLERANCE
    quantisation: Quantisation | UnsetType = UNSET

    def write(self, folder: Path) -> None:
        """Write ``manifest.json`` into a folder that nobody reads yet."""
        (folder / MANIFEST).write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")


def read_manifest(folder: Path, shown: str) -> Manifest:
    """Read a folder's manifest.

    :param shown: what the user called the package.
    :raises UserError: there is none, it is not JSON, has another schema, or a key lacks or is wrong.
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
    try:
        return Manifest.from_json(values)
    except ValidationError as error:
        raise UserError(f"{shown}: its {MANIFEST} is damaged: {error}; compile it again") from error
