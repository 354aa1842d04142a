"""The network of the runner's tests: ``python tiny_network.py FOLDER BATCH`` writes its module.so and reference.npz.

A process of its own, so that neither TVM nor a module that is blocked for its sake stays in the tests' process.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mobilenet_tvm.base.hidden_modules import hide

Floats = NDArray[np.float32]
SIDE = 32
CLASSES = 10


def weights() -> tuple[Floats, Floats]:
    """Convolution weights [8, 3, 3, 3] and classifier weights [8, CLASSES]."""
    random = np.random.default_rng(7)
    convolution = random.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32)
    return convolution, random.normal(0, 2.0, (8, CLASSES)).astype(np.float32)


def forward(x: Floats) -> Floats:
    """The network in NumPy: 3x3 convolution with stride 2, ReLU, mean over the pixels, classifier."""
    convolution, classifier = weights()
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::2, ::2]
    features = np.maximum(np.einsum("nchwij,ocij->nohw", windows, convolution, dtype=np.float64), 0)
    scores: Floats = (features.mean(axis=(2, 3)) @ classifier).astype(np.float32)
    return scores


def compile_module(path: Path, batch: int) -> None:
    """The same network as a Relax VM executable for x86-64-v3."""
    hide(("torch",))  # TVM imports it where it can, which takes seconds
    import tvm
    from tvm import relax

    convolution, classifier = weights()
    x = relax.Var("x", relax.TensorType((batch, 3, SIDE, SIDE), "float32"))
    builder = relax.BlockBuilder()
    with builder.function("main", [x]):
        with builder.dataflow():
            features = builder.emit(relax.op.nn.conv2d(x, relax.const(convolution), strides=2, padding=1))
            pooled = builder.emit(relax.op.mean(relax.op.nn.relu(features), axis=[2, 3]))
            scores = builder.emit_output(relax.op.matmul(pooled, relax.const(classifier)))
        builder.emit_func_output(scores)
    module = relax.transform.LegalizeOps()(builder.get())
    schedule = tvm.s_tir.Schedule(module["relu"])
    schedule.parallel(schedule.get_loops(schedule.get_sblock("compute"))[1])
    module.update_func(module.get_global_var("relu"), schedule.mod["main"].with_attr("global_symbol", "relu"))
    target = tvm.target.Target({"kind": "llvm", "mcpu": "x86-64-v3"})
    tvm.compile(module, target=target).export_library(str(path))


def main(folder: Path, batch: int) -> None:
    compile_module(folder / "module.so", batch)
    random = np.random.default_rng(11)
    arrays: dict[str, Floats] = {}
    for i in range(3):
        x = random.normal(0, 1, (batch, 3, SIDE, SIDE)).astype(np.float32)
        arrays |= {f"x{i}": x, f"y{i}": forward(x)}
    np.savez(folder / "reference.npz", **arrays)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
