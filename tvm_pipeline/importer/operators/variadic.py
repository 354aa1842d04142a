"""Max, Min, Sum and Mean of several tensors: a chain of Relax operators (TVM stacks the operands and reduces them)."""

from collections.abc import Callable
from functools import reduce

from tvm import relax

from tvm_pipeline.importer.operators.node import Convert, Node

Binary = Callable[[relax.Expr, relax.Expr], relax.Expr]


def chain_of(operator: Binary) -> Convert:
    """The converter that joins all inputs by ``operator``."""

    def convert(node: Node) -> relax.Expr:
        operands = [node.tensor(index) for index in range(len(node.inputs))]
        return reduce(lambda left, right: node.emit(operator(left, right)), operands)

    return convert


def convert_mean(node: Node) -> relax.Expr:
    return relax.op.divide(chain_of(relax.op.add)(node), node.scalar(float(len(node.inputs))))
