"""Puts the converters of ``operators/`` in the place of TVM's own while a model is imported."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from tvm import relax
from tvm.relax.frontend.onnx import onnx_frontend

from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.importer.operators.node import Convert, Node, Unsupported
from tvm_pipeline.importer.operators.table import CONVERTERS


@dataclass(frozen=True)
class _Named:
    """An operator's converter as TVM's importer calls it; what it cannot take is refused by operator and node.

    :ivar converter: something with ``get_converter(opset)``.
    """

    operator: str
    converter: Any

    def get_converter(self, opset: int) -> Callable[..., relax.Expr]:
        def convert(builder: Any, inputs: Sequence[Any], attributes: Mapping[str, Any], nodes: Any) -> relax.Expr:
            try:
                return self.converter.get_converter(opset)(builder, inputs, attributes, nodes)
            except Exception as error:  # TVM's converters raise whatever comes
                reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
                where = attributes["tvm_custom"]["name"]
                raise UserError(f"operator {self.operator} (node {where!r}) cannot be compiled: {reason}") from error

        return convert


@dataclass(frozen=True)
class _Override:
    """A converter of the table; ``upstream`` is TVM's own of the same operator, if it has one."""

    convert: Convert
    upstream: Any

    def get_converter(self, opset: int) -> Callable[..., relax.Expr]:
        def convert(builder: Any, inputs: Sequence[Any], attributes: Mapping[str, Any], nodes: Any) -> relax.Expr:
            def upstream(**changed: Any) -> relax.Expr:
                if self.upstream is None:
                    raise Unsupported("this form of it has no converter: replace it in the model")
                given = onnx_frontend.onnx_input(changed.get("inputs", inputs))
                taken = changed.get("attributes", attributes)
                return self.upstream.get_converter(opset)(builder, given, taken, nodes)

            results = int(attributes["tvm_custom"]["num_outputs"])
            return self.convert(Node(builder, list(inputs), attributes, opset, results, upstream))

        return convert


def converted_operators() -> frozenset[str]:
    """All operators that have a converter, here or in TVM."""
    return frozenset({*onnx_frontend._get_convert_map(), *CONVERTERS})


@contextmanager
def importer_overrides() -> Iterator[None]:
    """Within it, TVM's importer uses the converters of the table.

    :raises UserError: a converter does not take a node; the line names its operator and it.
    """
    known = onnx_frontend._get_convert_map()
    overrides = {name: _Override(convert, known.get(name)) for name, convert in CONVERTERS.items()}
    named = {name: _Named(name, converter) for name, converter in {**known, **overrides}.items()}
    with mock.patch.object(onnx_frontend, "_get_convert_map", lambda: named):
        yield
