"""Dropout of a network that is not trained."""

import numpy as np
from tvm import relax

from tvm_pipeline.importer.operators.node import Node, constant


def convert_dropout(node: Node) -> relax.Expr:
    """Dropout-7 to 22: nothing is dropped; the mask is all true."""
    if node.results == 1:
        return node.data
    return relax.Tuple([node.data, constant(np.ones(node.shape, bool))])
