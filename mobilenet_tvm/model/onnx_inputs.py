"""The inputs of an ONNX file, every dimension fixed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.base.errors import UserError

if TYPE_CHECKING:
    from onnx import GraphProto, TypeProto, ValueInfoProto

Shapes = dict[str, list[int]]
DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
)
"""Of inputs and outputs: what an ``.npy`` file can hold."""
_IMAGE = (1, 3, 224, 224)


def parse_shapes(values: list[str]) -> Shapes:
    """``["x:1x3x224x224"]`` -> ``{"x": [1, 3, 224, 224]}``.

    :raises UserError: a value is not of that form.
    """
    shapes: Shapes = {}
    for value in values:
        name, _, dims = value.rpartition(":")
        parts = dims.split("x")
        if not name or not all(part.isdecimal() and int(part) > 0 for part in parts):
            raise UserError(f"shape {value!r} is not NAME:DIMxDIMx..., such as input:1x3x224x224")
        shapes[name] = [int(part) for part in parts]
    return shapes


def read_inputs(path: Path, graph: GraphProto, shapes: Shapes) -> tuple[OnnxInput, ...]:
    """The inputs that are no initialisers, which files of IR 3 list as well.

    :param shapes: the shapes of dynamic inputs, by their names.
    :raises UserError: there is none, one is no tensor or of a dtype that is none of ``DTYPES``, or has a dynamic shape
        that ``shapes`` does not fix; ``shapes`` names no input, or does not fit.
    """
    weights = {tensor.name for tensor in graph.initializer}
    values = [value for value in graph.input if value.name not in weights]
    if not values:
        raise UserError(f"{path} has no input: its outputs are constants, and there is nothing to compile")
    names = [value.name for value in values]
    if stray := [name for name in shapes if name not in names]:
        known = ", ".join(map(repr, names))
        raise UserError(
            f"{path} has no input {stray[0]!r}; its {'input is' if len(names) == 1 else 'inputs are'} {known}"
        )
    return tuple(
        OnnxInput(
            name=value.name,
            dtype=_dtype(path, value.name, value.type),
            shape=_shape(path, value, shapes.get(value.name)),
        )
        for value in values
    )


def _dtype(path: Path, name: str, kind: TypeProto) -> str:
    import onnx

    if kind.WhichOneof("value") not in ("tensor_type", None):
        what = str(kind.WhichOneof("value")).removesuffix("_type").replace("_", " ")
        raise UserError(f"{path}: its input {name!r} is a {what}; a network's inputs are dense tensors")
    dtype: str = onnx.TensorProto.DataType.Name(kind.tensor_type.elem_type).lower()
    dtype = {"float": "float32", "double": "float64"}.get(dtype, dtype)
    if dtype not in DTYPES:
        raise UserError(f"{path}: its input {name!r} is {dtype}; an input is one of {', '.join(DTYPES)}")
    return dtype


def _shape(path: Path, value: ValueInfoProto, asked: list[int] | None) -> tuple[int, ...]:
    """A dimension that is named, 0 or negative is dynamic; without a rank any shape fits."""
    tensor = value.type.tensor_type
    dims = [dim.dim_value if dim.dim_value > 0 else None for dim in tensor.shape.dim]
    ranked = tensor.HasField("shape")
    shown = (
        "x".join(str(fixed or dim.dim_param or "?") for fixed, dim in zip(dims, tensor.shape.dim, strict=True))
        if ranked
        else "of unknown rank"
    )
    if asked is not None:
        fits = len(asked) == len(dims) and all(d in (None, a) for d, a in zip(dims, asked, strict=False))
        if ranked and not fits:
            raise UserError(
                f"{path}: shape {'x'.join(map(str, asked))} does not fit input {value.name!r}, which is {shown}"
            )
        return tuple(asked)
    if not ranked or None in dims:
        fallback = _IMAGE if len(dims) == len(_IMAGE) else (1,) * len(dims)
        example = "x".join(str(d or g) for d, g in zip(dims, fallback, strict=True)) or "x".join(map(str, _IMAGE))
        raise UserError(f"{path} has a dynamic input {value.name!r} ({shown}): give --shape {value.name}:{example}")
    return tuple(d for d in dims if d)
