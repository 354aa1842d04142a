"""RoiAlign."""

from tvm import relax

from tvm_pipeline.importer.operators.node import Node, Unsupported


def convert_roi_align(node: Node) -> relax.Expr:
    """RoiAlign-10 to 22 by averages of a given number of samples.

    :raises Unsupported: by maxima, or by as many samples as a region is large.
    """
    if node.get("mode", "avg") != "avg":
        raise Unsupported("mode max: ONNX and ONNX Runtime differ about what it is the largest of; use avg")
    if int(node.get("sampling_ratio", 0)) < 1:
        raise Unsupported("sampling_ratio 0 takes as many samples as a region is large: give a number")
    return node.upstream()
