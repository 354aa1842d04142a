"""OpenVINO's CPU plugin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tvm.engines.engine import Engine

if TYPE_CHECKING:
    import numpy as np

# Left to itself it computes in bfloat16 where the CPU can, whatever the model says.
_PRECISION = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}


class OpenVino(Engine):
    """Runs the ONNX file for shortest latency, with the precision that was asked for."""

    name = "openvino"
    distribution = "openvino"
    install = "pip install 'mobilenet-tvm[engines]'"
    _model: Any

    def load(self, model: Path, threads: int, dtype: str) -> None:
        import openvino

        config = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": str(threads)}
        if dtype in _PRECISION:
            config["INFERENCE_PRECISION_HINT"] = _PRECISION[dtype]
        self._model = openvino.Core().compile_model(str(model), "CPU", config)

    def bind(self, inputs: Sequence[np.ndarray]) -> Callable[[], Sequence[np.ndarray]]:
        request, arrays = self._model.create_infer_request(), list(inputs)

        def infer() -> Sequence[np.ndarray]:
            outputs: Sequence[np.ndarray] = request.infer(arrays, share_inputs=True, share_outputs=True).to_tuple()
            return outputs

        return infer


ENGINE = OpenVino
