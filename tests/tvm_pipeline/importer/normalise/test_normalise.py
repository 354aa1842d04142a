"""Files in spellings that TVM's importer misreads, compiled and compared with ONNX Runtime, all in one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from compiled_network import Compiled, compile_here
from onnx import ModelProto, TensorProto, helper, numpy_helper

from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.importer.import_onnx import simplify
from tvm_pipeline.importer.normalise.normalise import normalise
from tvm_pipeline.importer.normalise.upgrade import OPSET

F = np.float32
node = helper.make_node


def _model(
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray] | None = None,
    inputs: tuple[str, ...] = ("x",),
    outputs: tuple[str, ...] = ("y",),
    opset: int = 17,
) -> ModelProto:
    """Every input is of shape (1, 4, 6, 6); outputs declare no shape."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 6, 6]) for name in inputs]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(nodes, "graph", values, results, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def _weight(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(shape).astype(F)


def listed_initialisers() -> ModelProto:
    """IR 3: initialisers are inputs too, one of them read by nobody, two of them equal."""
    constants = {"w": _weight(3, 4, 1, 1), "s": np.array([1, -1]), "s2": np.array([1, -1]), "unused": _weight(2)}
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("Reshape", ["c", "s"], ["r"]),
        node("Relu", ["r"], ["q"]),
        node("Reshape", ["q", "s2"], ["y"]),
    ]
    model = _model(nodes, constants, opset=9)
    for tensor in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    model.ir_version = 3
    return model


def odd_names() -> ModelProto:
    """Twins, digits, dots, slashes, quotes; nodes without names."""
    nodes = [
        node("Conv", ["a.b", "0"], ["/conv/out"]),
        node("Add", ["/conv/out", "a_b"], ['say "y"']),
        node("Sub", ['say "y"', "1"], ["2"]),
    ]
    return _model(nodes, {"0": _weight(4, 4, 1, 1)}, ("a.b", "a_b", "1"), ("2", 'say "y"'))


def outputs_that_are_not_results() -> ModelProto:
    """An input, a constant, and a tensor that is also read inside."""
    nodes = [node("Relu", ["x"], ["r"]), node("Exp", ["r"], ["y"])]
    return _model(nodes, {"w": _weight(3)}, outputs=("y", "x", "w", "r"))


def constants_of_every_spelling() -> ModelProto:
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(np.array([2, 3], F), "values"), numpy_helper.from_array(np.array([0, 4]), "at"), [6]
    )
    nodes = [
        node("Constant", [], ["t"], value=numpy_helper.from_array(_weight(6))),
        node("Constant", [], ["f"], value_float=0.5),
        node("Constant", [], ["fs"], value_floats=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        node("Constant", [], ["i"], value_int=2),
        node("Constant", [], ["is"], value_ints=[1, 4, -1]),
        node("Constant", [], ["s"], sparse_value=sparse),
        node("Cast", ["i"], ["j"], to=TensorProto.FLOAT),
        *(
            node("Add", [a, b], [c])
            for a, b, c in (("x", "t", "a"), ("a", "f", "b"), ("b", "fs", "c"), ("c", "s", "d"))
        ),
        node("Mul", ["d", "j"], ["e"]),
        node("Reshape", ["e", "is"], ["y"]),
    ]
    return _model(nodes)


def functions() -> ModelProto:
    """A function of the model's own, called twice, with an attribute."""
    body = [node("LeakyRelu", ["a"], ["b"]), node("Add", ["b", "a"], ["c"])]
    body[0].attribute.append(onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT))
    opsets = [helper.make_opsetid("", 17)]
    function = helper.make_function("own", "Block", ["a"], ["c"], body, opsets, ["slope"])
    calls = [
        node("Block", ["x"], ["m"], domain="own", slope=0.1),
        node("Block", ["m"], ["y"], domain="own", slope=-0.3),
    ]
    model = _model(calls)
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("own", 1))
    return model


def branches_on_constants() -> ModelProto:
    """One condition is an initialiser, one follows from a shape."""

    def branch(operator: str, data: str) -> onnx.GraphProto:
        result = helper.make_tensor_value_info(f"{data}_{operator}", TensorProto.FLOAT, None)
        return helper.make_graph([node(operator, [data], [result.name])], operator, [], [result])

    nodes = [
        node("If", ["yes"], ["a"], then_branch=branch("Relu", "x"), else_branch=branch("Exp", "x")),
        node("Shape", ["a"], ["shape"]),
        node("Gather", ["shape", "one"], ["channels"]),
        node("Equal", ["channels", "five"], ["is_five"]),
        node("If", ["is_five"], ["y"], then_branch=branch("Exp", "a"), else_branch=branch("Sqrt", "a")),
    ]
    return _model(nodes, {"yes": np.array(True), "one": np.array(1), "five": np.array(5)})


def tensors_without_elements() -> ModelProto:
    nodes = [
        node("Split", ["x", "parts"], ["a", "none", "b"], axis=1),
        node("Relu", ["none"], ["still"]),
        node("Concat", ["b", "still", "a"], ["c"], axis=1),
        node("ReduceSum", ["none"], ["zeros"], keepdims=1),
        node("Add", ["c", "zeros"], ["y"]),
    ]
    return _model(nodes, {"parts": np.array([1, 0, 3])})


def results_that_nobody_reads() -> ModelProto:
    nodes = [
        node("MaxPool", ["x"], ["p", "indices"], kernel_shape=[2, 2]),
        node("Dropout", ["p"], ["d", "mask"]),
        node("Identity", ["d"], ["e"]),
        node("Identity", ["e"], ["y"]),
    ]
    return _model(nodes)


def old_nodes() -> ModelProto:
    """Opset 8: attributes that are inputs now, a softmax over several axes, and a nearest Upsample."""
    nodes = [
        node("Upsample", ["x"], ["u"], scales=[1.0, 1.0, 2.0, 2.0]),
        node("Slice", ["u"], ["s"], axes=[2, 3], starts=[1, -5], ends=[2**63 - 1, -1]),
        node("Clip", ["s"], ["c"], min=-0.5),
        node("Pad", ["c"], ["p"], pads=[0, 0, 1, 0, 0, 0, 0, 1], value=0.25),
        node("ReduceMean", ["p"], ["m"], axes=[1]),
        node("Softmax", ["m"], ["y"]),
    ]
    return _model(nodes, opset=8)


MODELS: tuple[Callable[[], ModelProto], ...] = (
    listed_initialisers,
    odd_names,
    outputs_that_are_not_results,
    constants_of_every_spelling,
    functions,
    branches_on_constants,
    tensors_without_elements,
    results_that_nobody_reads,
    old_nodes,
)


def _compiled(model: ModelProto, target: CpuTarget, folder: Path) -> Compiled:
    path = folder / "model.onnx"
    onnx.save(model, path)
    return compile_here(path, target, TuningLogs([]), folder)


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_outputs_are_onnx_runtimes_and_names_the_files(
    make: Callable[[], ModelProto], target: CpuTarget, tmp_path: Path
) -> None:
    model = make()
    compiled = _compiled(model, target, tmp_path)
    weights = {tensor.name for tensor in model.graph.initializer}
    assert [tensor.name for tensor in compiled.result.inputs] == [
        value.name for value in model.graph.input if value.name not in weights
    ]
    assert [tensor.name for tensor in compiled.result.outputs] == [value.name for value in model.graph.output]
    assert compiled.error() < 1e-6


def test_an_output_that_appears_twice() -> None:
    model = _model([node("Relu", ["x"], ["y"])], outputs=("y", "y"))
    normalise(model)
    assert len({value.name for value in model.graph.output}) == 2
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    first, second = session.run(None, {"x": _weight(1, 4, 6, 6)})
    np.testing.assert_array_equal(first, second)


def test_a_model_of_the_newest_opset_stays_as_it_is(tmp_path: Path) -> None:
    model = _model([node("Relu", ["x"], ["y"], "relu")], opset=OPSET + 1)
    nodes = list(model.graph.node)
    normalise(model)
    assert list(model.graph.node) == nodes
    assert model.opset_import[0].version == OPSET + 1


def test_an_upgraded_model_is_simplified_as_it_was() -> None:
    """A batch normalization goes into its convolution, a shape becomes a constant."""
    constants = {"w": _weight(4, 4, 1, 1), **{name: abs(_weight(4)) for name in ("g", "b", "m", "v")}}
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"]),
        node("Shape", ["n"], ["shape"]),
        node("Reshape", ["n", "shape"], ["r"]),
        node("Relu", ["r"], ["y"]),
    ]
    model = _model(nodes, constants, opset=9)
    normalise(model)
    assert [made.op_type for made in simplify(model).graph.node] in (["Conv", "Reshape", "Relu"], ["Conv", "Relu"])
