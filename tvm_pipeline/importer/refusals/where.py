"""How a line names a node."""

from onnx import NodeProto

from mobilenet_tvm.base.errors import UserError


def described(node: NodeProto) -> str:
    """``operator Conv (node 'stem')``; a node without a name goes by its first result."""
    result = next((name for name in node.output if name), "")
    return f"operator {node.op_type} ({f'node {node.name!r}' if node.name else f'the node that makes {result!r}'})"


def refusal(node: NodeProto, reason: str) -> UserError:
    """The error that names a node: ``operator X (node 'n') ...``."""
    return UserError(f"{described(node)} {reason}")
