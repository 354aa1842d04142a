"""Operators whose result has as many elements as the data say: memory is planned before any data are there."""

from tvm import relax

from tvm_pipeline.importer.operators.node import Convert, Node, Unsupported


def refuse_because(what: str) -> Convert:
    """A converter that takes nothing.

    :param what: what depends on the data.
    """

    def convert(node: Node) -> relax.Expr:
        raise Unsupported(f"{what} depends on the data: cut the model before it, and compute it after the outputs")

    return convert


def convert_range(node: Node) -> relax.Expr:
    """Range-11 of constants."""
    for index in range(3):
        node.constant(index)
    return node.upstream()
