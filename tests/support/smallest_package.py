"""The smallest thing that is a package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tvm.base.compiled import Tensor
from mobilenet_tvm.package.manifest import CompiledTarget, Manifest, Network, Versions
from mobilenet_tvm.package.store import list_files


def fill(folder: Path, features: Sequence[str] = (), text: str = "x") -> None:
    """Make a folder a package, whose files hold that text."""
    for name in ("module.so", "reference.npz", "bin/mobilenet-run"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    tensor = Tensor(name="x", shape=(1,), dtype="float32")
    Manifest(
        model=Network(name="m", onnx_sha256="0" * 64, weights="none"),
        target=CompiledTarget(name="t", arch="x86_64", cpu_features=tuple(features), tvm={}),
        dtype="float32",
        threads=1,
        inputs=(tensor,),
        outputs=(tensor,),
        preprocessing=None,
        labels=None,
        versions=Versions(mobilenet_tvm="0", tvm="0", tvm_ffi="0", llvm="0"),
        kernels=(),
        files=list_files(folder),
    ).write(folder)
