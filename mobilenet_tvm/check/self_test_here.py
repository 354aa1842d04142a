"""A package that nobody has yet, run on this machine against its reference."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mobilenet_tvm.base.events import OnEvent
from mobilenet_tvm.package import static_program
from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.package.open import REFERENCE, Package
from mobilenet_tvm.package.reference import read_reference
from mobilenet_tvm.places.answers import SelfTest
from mobilenet_tvm.places.place import place_of
from mobilenet_tvm.places.runner import self_test


def signature_error(folder: Path, manifest: Manifest) -> str | None:
    """What is wrong about the outputs' shapes and dtypes beside those of the reference; None where nothing is."""
    outputs = read_reference(folder / REFERENCE)[0].outputs
    if len(outputs) != len(manifest.outputs):
        return f"it has {len(manifest.outputs)} outputs, and the ONNX file {len(outputs)}"
    for tensor, array in zip(manifest.outputs, outputs, strict=True):
        made, right = f"{tensor.dtype} {list(tensor.shape)}", f"{array.dtype} {list(array.shape)}"
        if made != right:
            return f"its output {tensor.name!r} is {made}, and the ONNX file's {right}"
    return None


def self_test_here(folder: Path, manifest: Manifest, on_event: OnEvent) -> SelfTest:
    """How far the package in a folder is from its reference.

    :raises UserError: its program refuses it.
    :raises SystemFailure: its program fails.
    """
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        program = None
        if static_program.PROGRAM in manifest.files:
            program = Path(scratch) / "program"
            static_program.pack(folder, program)
        package = Package(manifest.model.name, folder, manifest, program)
        return self_test(place_of(package, emulate=False, device=None, on_event=on_event))
