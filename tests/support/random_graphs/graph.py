"""A graph that grows node by node; every node is run as it is added, so that shapes, dtypes and values are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import onnx
import onnxruntime
from hypothesis import reject
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from mobilenet_tvm.package.norms_spelled_out import spell_out_norms

T = TypeVar("T")
MOST_ELEMENTS = 40_000
_IR_VERSIONS = ((12, 7), (15, 8), (19, 9), (21, 10), (23, 11))
"""Up to which opset files commonly have which IR version."""


@dataclass(frozen=True)
class Value:
    """A tensor of the graph with what ONNX Runtime computes for it.

    :ivar exact: made without rounding: operators that jump (Floor, ArgMax) may read it.
    """

    name: str
    array: np.ndarray
    exact: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def rank(self) -> int:
        return self.array.ndim

    @property
    def is_float(self) -> bool:
        return self.array.dtype == np.float32


class Graph:
    """What hypothesis has drawn so far.

    :ivar opset: of the default domain.
    :ivar values: what nodes may read, inputs first.
    """

    def __init__(self, draw: Any, opset: int) -> None:
        self._draw = draw
        self.opset = opset
        self.random = np.random.default_rng(draw(st.integers(0, 2**16), label="seed"))
        self.values: list[Value] = []
        self.inputs: list[Value] = []
        self.constants: dict[str, np.ndarray] = {}
        self.nodes: list[onnx.NodeProto] = []
        self._read: set[str] = set()
        self._constants = 0

    def draw(self, strategy: st.SearchStrategy[T], label: str = "") -> T:
        """What hypothesis draws."""
        return self._draw(strategy, label=label)

    def choose(self, options: Sequence[T], label: str = "") -> T:
        """One of the options."""
        return self.draw(st.sampled_from(list(options)), label)

    def integer(self, low: int, high: int, label: str = "") -> int:
        """A whole number, bounds included."""
        return self.draw(st.integers(low, high), label)

    def flag(self, label: str = "") -> bool:
        """True or false."""
        return self.draw(st.booleans(), label)

    def input(self, array: np.ndarray) -> Value:
        """A new graph input that holds these values."""
        value = Value(f"input{len(self.inputs)}", array, exact=True)
        self.inputs.append(value)
        self.values.append(value)
        return value

    def constant(self, value: Any, dtype: Any = np.float32) -> Value:
        """An initialiser, or now and then a Constant node."""
        array = np.asarray(value, dtype)
        self._constants += 1
        name = f"c{self._constants}"
        if self.integer(0, 4, "spelling") == 0:
            self.nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array, name)))
        else:
            self.constants[name] = array
        return Value(name, array, exact=True)

    def normal(self, *shape: int) -> Value:
        """A constant of normal numbers whose leading axis differs by orders of magnitude."""
        values = self.random.standard_normal(shape).astype(np.float32)
        if shape and self.flag("uneven"):
            values *= np.exp2(self.random.integers(-4, 4, (shape[0], *[1] * (len(shape) - 1)))).astype(np.float32)
        return self.constant(values)

    def node(
        self, operator: str, operands: Sequence[Value | None], results: int = 1, exact: bool = False, **attributes: Any
    ) -> list[Value]:
        """Adds a node, runs it, and gives its results; a node that ONNX Runtime does not take ends this example.

        :param exact: whether the operator only moves, compares or selects values.
        """
        names = [f"{operator.lower()}{len(self.nodes)}_{index}" for index in range(results)]
        spelled = [operand.name if operand is not None else "" for operand in operands]
        node = helper.make_node(operator, spelled, names, f"node{len(self.nodes)}", **attributes)
        present = [operand for operand in operands if operand is not None]
        arrays = run(self._model([node], present, names), {operand.name: operand.array for operand in present})
        if any(array.size > MOST_ELEMENTS or array.size == 0 for array in arrays):
            reject()
        self.nodes.append(node)
        self._read.update(spelled)
        is_exact = exact and all(operand.exact for operand in present)
        made = [Value(name, array, is_exact) for name, array in zip(names, arrays, strict=True)]
        self.values += made
        return made

    def _model(self, nodes: list[onnx.NodeProto], inputs: Sequence[Value], outputs: Sequence[str]) -> onnx.ModelProto:
        unique = {value.name: value for value in inputs}
        described = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.array.dtype), value.shape)
            for name, value in unique.items()
        ]
        constants = [numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        kept = [tensor for tensor in constants if tensor.name not in unique]
        results = [helper.make_value_info(name, onnx.TypeProto()) for name in outputs]
        graph = helper.make_graph(nodes, "random", described, results, kept)
        ir_version = next(ir for opset, ir in _IR_VERSIONS if self.opset <= opset)
        opsets = [helper.make_opsetid("", self.opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)

    def model(self) -> onnx.ModelProto:
        """The whole graph; its outputs are the results that no node reads."""
        made = [name for node in self.nodes if node.op_type != "Constant" for name in node.output]
        ends = [name for name in made if name not in self._read]
        model = self._model(self.nodes, self.inputs, ends)
        try:
            return onnx.shape_inference.infer_shapes(model, data_prop=True)
        except Exception:  # it has its own opinion of some graphs that run
            return model


def run(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    """All outputs by ONNX Runtime, unoptimised; what it does not take ends this hypothesis example.

    Normalisations are computed as they are defined.
    """
    exact = onnx.ModelProto()
    exact.CopyFrom(model)
    spell_out_norms(exact)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    try:
        session = onnxruntime.InferenceSession(exact.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return [np.asarray(array) for array in session.run(None, feeds)]
    except Exception:
        reject()
