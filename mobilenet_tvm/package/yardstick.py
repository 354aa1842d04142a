"""What an ONNX file itself says: the outputs that a package is measured against.

ONNX Runtime computes them. Of a quantised file it computes each operator alone: its fused int8 kernels round otherwise
than the graph does, by a step in 0.05 % of the values, and saturate on CPUs without VNNI. What it does not run is left
to ONNX's own reference implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.package.norms_spelled_out import FUSIONS, spell_out_norms
from mobilenet_tvm.package.quantisation import is_quantised
from mobilenet_tvm.package.reference import COUNT, Pair
from mobilenet_tvm.package.seeded_inputs import SPANS, Described, may_be_indices, seeded_inputs

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime

Arrays = tuple["np.ndarray", ...]


def onnxruntime_session(onnx: Path, *, quantised: bool = False) -> onnxruntime.InferenceSession:
    """ONNX Runtime with the file, one thread; normalisations are computed as they are defined.

    :param quantised: compute what the graph says, operator by operator.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    if quantised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        options.add_session_config_entry("session.x64quantprecision", "1")  # sums of u8 x s8 do not saturate
    exact = _with_exact_norms(onnx)
    if exact is None:
        return ort.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(onnx.parent))
    return ort.InferenceSession(exact, options, providers=["CPUExecutionProvider"], disabled_optimizers=FUSIONS)


def _with_exact_norms(onnx: Path) -> bytes | None:
    """The file with its normalisations spelled out; None where it has none."""
    from onnx import load

    model = load(onnx, load_external_data=False)
    return model.SerializeToString() if spell_out_norms(model) else None


def _by_onnxruntime(onnx: Path, inputs: Sequence[Arrays]) -> list[Arrays]:
    session = onnxruntime_session(onnx, quantised=is_quantised(onnx))
    names = [tensor.name for tensor in session.get_inputs()]
    return [tuple(session.run(None, dict(zip(names, arrays, strict=True)))) for arrays in inputs]


def _by_definition(onnx: Path, inputs: Sequence[Arrays]) -> list[Arrays]:
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(str(onnx))
    constants = {tensor.name for tensor in evaluator.proto_.graph.initializer}
    names = [name for name in evaluator.input_names if name not in constants]
    run: Callable[[None, dict[str, np.ndarray]], list[np.ndarray]] = evaluator.run  # type: ignore[assignment]
    return [tuple(run(None, dict(zip(names, arrays, strict=True)))) for arrays in inputs]


def expected_outputs(onnx: Path, inputs: Sequence[Arrays]) -> list[Arrays]:
    """All outputs for each of ``inputs``.

    :raises UserError: neither ONNX Runtime nor ONNX's reference implementation takes the model.
    """
    try:
        return _by_onnxruntime(onnx, inputs)
    except Exception as error:  # its exceptions share no base but this one
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        try:
            return _by_definition(onnx, inputs)
        except Exception:
            raise UserError(f"ONNX Runtime does not run {onnx}: {reason}") from error


def make_pairs(onnx: Path, tensors: Sequence[Described], seed: int = 0, count: int = COUNT) -> list[Pair]:
    """Seeded inputs with the file's outputs.

    :param tensors: its inputs.
    :raises UserError: nothing here runs the model.
    """
    spans = SPANS if may_be_indices(tensors) else SPANS[:1]
    for span in spans:
        inputs = seeded_inputs(tensors, seed, count, span)
        try:
            outputs = expected_outputs(onnx, inputs)
        except UserError:
            if span == spans[-1]:
                raise
            continue
        return [Pair(x, y) for x, y in zip(inputs, outputs, strict=True)]
    raise AssertionError("SPANS is not empty")
