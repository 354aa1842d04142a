"""DFT and STFT as products with a constant matrix: they are linear, and their lengths are known."""

import numpy as np
from tvm import relax

from tvm_pipeline.importer.operators.node import Node, Unsupported, constant, places
from tvm_pipeline.passes.dataflow import shape_of

_MOST_ELEMENTS = 1 << 24


def convert_dft(node: Node) -> relax.Expr:
    """DFT-20."""
    shape, rank = node.shape, len(node.shape)
    axis = _scalar(node, 2, -2) % rank
    inverse, onesided = bool(node.get("inverse", 0)), bool(node.get("onesided", 0))
    default = 2 * (shape[axis] - 1) if inverse and onesided else shape[axis]
    matrix = _matrix(shape[axis], shape[-1], _scalar(node, 1, default), inverse=inverse, onesided=onesided)
    order = [number for number in range(rank - 1) if number != axis] + [axis, rank - 1]
    moved = node.emit(relax.op.permute_dims(node.data, order))
    result = _applied(node, moved, matrix)
    return relax.op.permute_dims(result, np.argsort(order).tolist())


def convert_stft(node: Node) -> relax.Expr:
    """STFT-17: the spectrum of every frame of a signal ``[batch, length, 1 or 2]``."""
    window, (_, length, parts) = node.constant(2), node.shape
    step, size = _scalar(node, 1, 0), _scalar(node, 3, 0 if window is None else window.size)
    starts = np.arange((length - size) // step + 1)[:, None] * step
    frames = node.emit(relax.op.take(node.data, places(starts + np.arange(size)), axis=1))
    matrix = _matrix(size, parts, size, inverse=False, onesided=bool(node.get("onesided", 1)))
    if window is not None:
        matrix = matrix * np.repeat(window, parts)[:, None, None]
    return _applied(node, frames, matrix)


def _scalar(node: Node, index: int, default: int) -> int:
    value = node.constant(index)
    return default if value is None else int(value.reshape(()))


def _matrix(length: int, parts: int, size: int, *, inverse: bool, onesided: bool) -> np.ndarray:
    """``[length * parts, outputs, 1 or 2]``: what each real or imaginary element adds to each.

    :raises Unsupported: it would have more than ``_MOST_ELEMENTS`` elements.
    """
    if length * parts * size * 2 > _MOST_ELEMENTS:
        raise Unsupported(f"a transform of {size} elements has too large a matrix: compute it outside of the model")
    basis = np.eye(length * parts).reshape(-1, length, parts)
    signal = basis[..., 0] + (1j * basis[..., 1] if parts == 2 else 0)
    if inverse and onesided:
        return np.fft.irfft(signal, size, axis=1)[..., None]
    spectrum = (np.fft.ifft if inverse else np.fft.fft)(signal, size, axis=1)
    spectrum = spectrum[:, : size // 2 + 1] if onesided else spectrum
    return np.stack([spectrum.real, spectrum.imag], axis=-1)


def _applied(node: Node, value: relax.Expr, matrix: np.ndarray) -> relax.Expr:
    """The product over the last two axes."""
    lead = shape_of(value)[:-2]
    flat = node.emit(relax.op.reshape(value, (int(np.prod(lead)), matrix.shape[0])))
    product = node.emit(relax.op.matmul(flat, constant(matrix.reshape(len(matrix), -1).astype(node.dtype))))
    return node.emit(relax.op.reshape(product, (*lead, *matrix.shape[1:])))
