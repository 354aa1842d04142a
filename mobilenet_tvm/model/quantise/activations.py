"""What tensors of a network become on the calibration images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto


def values(
    model: ModelProto, names: Sequence[str], feeds: Iterable[Mapping[str, np.ndarray]], *, as_written: bool = False
) -> Iterator[dict[str, np.ndarray]]:
    """The named tensors of a network, batch by batch.

    :param as_written: operator by operator, which a quantised network's fused kernels are not.
    """
    import onnx
    import onnxruntime as ort

    wanted = list(dict.fromkeys(names))
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    del watched.graph.output[:]
    watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if as_written:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(watched.SerializeToString(), options, providers=["CPUExecutionProvider"])
    for feed in feeds:
        yield dict(zip(wanted, session.run(wanted, dict(feed)), strict=True))


def channel_ranges(
    model: ModelProto, names: Sequence[str], feeds: Iterable[Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Of each tensor the largest magnitude of each channel, axis 1."""
    import numpy as np

    ranges: dict[str, np.ndarray] = {}
    for batch in values(model, names, feeds) if names else ():
        for name, array in batch.items():
            reach = np.abs(np.moveaxis(array, 1, 0).reshape(array.shape[1], -1)).max(axis=1)
            ranges[name] = np.maximum(ranges.get(name, 0), reach)
    return ranges
