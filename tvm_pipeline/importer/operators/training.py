"""Operators that do something else when a network is trained."""

import numpy as np
from tvm import relax

from tvm_pipeline.importer.operators.node import Node, Unsupported, constant

_ADVICE = "export the model in evaluation mode"


def convert_batch_normalization(node: Node) -> relax.Expr:
    """BatchNormalization by the file's statistics.

    :raises Unsupported: by the batch's own.
    """
    if node.get("training_mode", 0):
        raise Unsupported(f"training_mode takes the batch's own statistics: {_ADVICE}")
    return node.upstream()


def convert_dropout(node: Node) -> relax.Expr:
    """Dropout-1 to 22: nothing is dropped; the mask is all true.

    :raises Unsupported: something would be.
    """
    ratio, training = (node.constant(index) for index in (1, 2))
    if training is not None and training.any() and (ratio is None or ratio.any()):
        raise Unsupported(f"training_mode drops elements at random: {_ADVICE}")
    if node.results == 1:
        return node.data
    kind = node.dtype if node.opset < 10 else "bool"
    return relax.Tuple([node.data, constant(np.ones(node.shape, kind))])
