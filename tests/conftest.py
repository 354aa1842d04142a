"""For all tests: the user's own folders stay untouched, runners and boards' runtimes are made once, a small network."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from filelock import FileLock
from onnx import TensorProto, helper, numpy_helper

from mobilenet_tvm.base.paths import CACHE_VARIABLE, cache_dir

SIZE, CHANNELS, CLASSES = 16, 16, 8


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all of pytest's processes share for this run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_folders(shared_folder: Path) -> Iterator[None]:
    cache = shared_folder / "cache"
    cache.mkdir(exist_ok=True)
    for part in ("runner", "runtime", "emulated_gpu"):
        known = cache_dir() / part
        known.mkdir(parents=True, exist_ok=True)
        if not (cache / part).is_symlink():
            with contextlib.suppress(FileExistsError):  # another process was faster
                (cache / part).symlink_to(known)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(cache))
        patch.setenv("XDG_DATA_HOME", str(shared_folder / "data"))
        yield


def tiny_network(
    *, batch: int | str = 1, dtype: type = np.float32, weights: dict[str, np.ndarray] | None = None
) -> onnx.ModelProto:
    """Convolution, depthwise, pointwise, pool, dense: every kind of layer a MobileNet has, and alive."""
    random = np.random.default_rng(7)

    def normal(*shape: int) -> np.ndarray:
        fan_in = int(np.prod(shape[1:]))
        return (random.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32)

    arrays = {
        "conv.weight": normal(CHANNELS, 3, 3, 3),
        "depthwise.weight": normal(CHANNELS, 1, 3, 3),
        "pointwise.weight": normal(2 * CHANNELS, CHANNELS, 1, 1),
        "dense.weight": normal(CLASSES, 2 * CHANNELS),
        "dense.bias": random.standard_normal(CLASSES).astype(np.float32),
        **(weights or {}),
    }
    arrays["conv.weight"] = arrays["conv.weight"].astype(dtype)
    pads = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["input", "conv.weight"], ["c"], "conv", strides=[2, 2], **pads),
        helper.make_node("Relu", ["c"], ["cr"]),
        helper.make_node("Conv", ["cr", "depthwise.weight"], ["d"], "depthwise", group=CHANNELS, **pads),
        helper.make_node("Relu", ["d"], ["dr"]),
        helper.make_node("Conv", ["dr", "pointwise.weight"], ["p"], "pointwise", kernel_shape=[1, 1]),
        helper.make_node("Relu", ["p"], ["pr"]),
        helper.make_node("GlobalAveragePool", ["pr"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "dense.weight", "dense.bias"], ["output"], "dense", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, CLASSES])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.fixture(scope="session")
def make_network() -> Callable[..., onnx.ModelProto]:
    return tiny_network


@pytest.fixture(scope="session")
def tiny_onnx(shared_folder: Path) -> Path:
    path = shared_folder / "tiny.onnx"
    with FileLock(shared_folder / "tiny.lock"):
        if not path.exists():
            onnx.save(tiny_network(), path)
    return path
