"""Reshapes in a row are one view, or nothing."""

from __future__ import annotations

from tvm import relax

from tvm_pipeline.passes.views import join_reshapes


def test_reshapes_are_joined() -> None:
    builder = relax.BlockBuilder()
    data = relax.Var("data", relax.TensorType((2, 3, 4), "float32"))
    with builder.function("main", [data]):
        with builder.dataflow():
            flat = builder.emit(relax.op.reshape(builder.emit(relax.op.nn.relu(data)), (24,)))
            pairs = builder.emit(relax.op.reshape(flat, (12, 2)))
            back = builder.emit(relax.op.exp(builder.emit(relax.op.reshape(pairs, (2, 3, 4)))))
            output = builder.emit_output(relax.op.reshape(builder.emit(relax.op.reshape(back, (6, 4))), (8, 3)))
        builder.emit_func_output(output)
    text = join_reshapes(builder.get()).script()
    assert text.count("R.reshape") == 1 and "R.shape([8, 3])" in text
