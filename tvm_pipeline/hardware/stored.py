"""bfloat16 in NumPy as it lies in memory: its bits as uint16, for TVM's code generator has no such type."""

import ml_dtypes
import numpy as np

BITS = "uint16"


def as_stored(values: np.ndarray, dtype: str) -> np.ndarray:
    """float32 values as a ``dtype``, or as the bits that stand for it."""
    return values.astype(ml_dtypes.bfloat16).view(BITS) if dtype == BITS else values.astype(dtype)


def as_floats(stored: np.ndarray) -> np.ndarray:
    """The inverse, as float32 where they were bits."""
    return stored.view(ml_dtypes.bfloat16).astype(np.float32) if stored.dtype == BITS else stored
