"""ONNX's own backend tests as models of this project's kind: one float32 input, everything else a constant.

Left out are: tests of operators in ``LEFT_OUT``; of other domains than ONNX's own; without a float32 input; with
inputs or outputs that are no tensors of numbers (sequences, optional values, text, types that NumPy lacks); and the
``_expanded`` twins, which test ONNX's function bodies; and tests whose input has no elements, which an ONNX file cannot
tell from one of unknown size.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

LEFT_OUT = {
    "recurrent": ("RNN", "GRU", "LSTM", "Scan", "Loop", "SequenceMap", "CausalConvWithState", "LinearAttention"),
    "text": ("TfIdfVectorizer", "StringNormalizer", "StringSplit", "StringConcat", "RegexFullMatch", "LabelEncoder"),
    "quantised": (
        "QuantizeLinear",
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "QLinearConv",
        "QLinearMatMul",
        "ConvInteger",
        "MatMulInteger",
    ),
    "training": ("Adagrad", "Adam", "Momentum", "SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss", "Gradient"),
    "random": ("Bernoulli", "RandomUniformLike", "RandomNormalLike", "RandomUniform", "RandomNormal", "Multinomial"),
}
_UNTRIED = frozenset(name for names in LEFT_OUT.values() for name in names)
_CONVERTED = ("pytorch-converted", "pytorch-operator")


@dataclass(frozen=True)
class BackendCase:
    """One test: ``data`` is the float32 input that ``model`` keeps, ``expected`` its outputs."""

    name: str
    operator: str
    model: onnx.ModelProto
    data: np.ndarray
    expected: tuple[np.ndarray, ...]
    tolerance: float

    def is_sample(self, share: int) -> bool:
        """Whether the case is among the fixed ``1 / share`` of all."""
        return int(hashlib.sha256(self.name.encode()).hexdigest(), 16) % share == 0


def collect() -> Iterator[BackendCase]:
    """All cases, those of the operators first, then those that PyTorch wrote."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        tests = collect_testcases(None)
    for test in tests:
        if "_expanded" not in test.name and test.data_sets and test.model is not None:
            inputs, outputs = test.data_sets[0]
            yield from _cases(test.name, test.model, list(inputs), list(outputs), test.rtol)
    data = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for group in _CONVERTED:
        for folder in sorted((data / group).iterdir()):
            yield from _cases(
                folder.name, onnx.load(folder / "model.onnx"), *_data_set(folder / "test_data_set_0"), 1e-3
            )


def _data_set(folder: Path) -> tuple[list[Any], list[Any]]:
    """Inputs and outputs of a test that lies in files."""

    def read(kind: str) -> list[Any]:
        paths = sorted(folder.glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
        return [numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes())) for path in paths]

    return read("input"), read("output")


def _cases(
    name: str, model: onnx.ModelProto, inputs: list[Any], outputs: list[Any], tolerance: float
) -> Iterator[BackendCase]:
    """The case of one test; none where it is left out."""
    operators = [node.op_type for node in model.graph.node]
    is_foreign = any(node.domain not in ("", "ai.onnx") for node in model.graph.node)
    are_tensors = all(value.type.HasField("tensor_type") for value in (*model.graph.input, *model.graph.output))
    if not operators or is_foreign or not are_tensors or _UNTRIED.intersection(operators):
        return
    if not all(_is_tensor(value) for value in (*inputs, *outputs)):
        return
    first = next((index for index, value in enumerate(inputs) if value.dtype == np.float32), None)
    if first is None or inputs[first].size == 0:
        return
    kept = _keep_one_input(model, [np.asarray(value) for value in inputs], first)
    expected = tuple(np.asarray(value) for value in outputs)
    yield BackendCase(name, _main_operator(operators), kept, np.asarray(inputs[first]), expected, tolerance)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf" and value.dtype.isbuiltin == 1


def _main_operator(operators: list[str]) -> str:
    """What a test is about: the last operator that does more than provide values."""
    providers = ("Constant", "Identity", "Cast", "Shape")
    return next((operator for operator in reversed(operators) if operator not in providers), operators[-1])


def _keep_one_input(model: onnx.ModelProto, values: list[np.ndarray], first: int) -> onnx.ModelProto:
    """The model with its input number ``first`` alone; the others become initialisers."""
    kept = onnx.ModelProto()
    kept.CopyFrom(model)
    initialised = {tensor.name for tensor in model.graph.initializer}
    given = [value for value in model.graph.input if value.name not in initialised]
    del kept.graph.input[:]
    kept.graph.input.append(given[first])
    others = [(value.name, array) for value, array in zip(given, values, strict=False) if value is not given[first]]
    kept.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in others)
    return kept
