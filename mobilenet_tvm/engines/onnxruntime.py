"""ONNX Runtime's CPU provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tvm.engines.engine import Engine

if TYPE_CHECKING:
    import numpy as np


class OnnxRuntime(Engine):
    """Runs the ONNX file as it is, whatever dtype it has; everything but the thread count is its default."""

    name = "onnxruntime"
    distribution = "onnxruntime"
    install = "pip install onnxruntime"
    _session: Any

    @staticmethod
    def computes_in(dtype: str) -> str:
        return "float32" if dtype == "bfloat16" else dtype

    def load(self, model: Path, threads: int, dtype: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def bind(self, inputs: Sequence[np.ndarray]) -> Callable[[], Sequence[np.ndarray]]:
        session = self._session
        feed = {value.name: array for value, array in zip(session.get_inputs(), inputs, strict=True)}

        def infer() -> Sequence[np.ndarray]:
            outputs: Sequence[np.ndarray] = session.run(None, feed)
            return outputs

        return infer


ENGINE = OnnxRuntime
