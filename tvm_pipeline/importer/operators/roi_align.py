"""RoiAlign."""

from tvm import relax

from tvm_pipeline.importer.operators.node import Node, Unsupported


def convert_roi_align(node: Node) -> relax.Expr:
    """RoiAlign-10 to 22 by averages.

    :raises Unsupported: by maxima.
    """
    if node.get("mode", "avg") != "avg":
        raise Unsupported("mode max: ONNX and ONNX Runtime differ about what it is the largest of; use avg")
    return node.upstream()
