"""Which tuning logs apply, what they hold, and how much of a network they cover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from mobilenet_tvm.base.answers import NetworkLayer
from mobilenet_tvm.base.cpu_name import UNKNOWN
from mobilenet_tvm.base.document import Share
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import TuningRecord, read_log
from mobilenet_tvm.base.paths import builtin_logs_dir, user_logs_dir
from targets import Target

Coverage = dict[str, dict[str, Share]]
"""By target and dtype the share of a network's convolutions and dense layers that the logs know."""

CpuCoverage = dict[str, dict[str, Share]]
"""By dtype and CPU (LLVM's name) that share; a CPU that is not known is called unknown."""

_KERNEL_KINDS = ("conv2d", "pointwise", "depthwise", "dense")


def log_folders(logs: str | Path | None) -> list[Path]:
    """The folders to look in, first come first: the one named, else the user's own logs and then the checked-in ones.

    :raises UserError: the named folder is a file.
    """
    if logs is None:
        return [user_logs_dir(), builtin_logs_dir()]
    path = Path(logs).absolute()
    if path.exists() and not path.is_dir():
        raise UserError(f"{logs} is not a folder of logs")
    return [path]


def records_of(folders: Iterable[Path], target: str) -> dict[str, list[TuningRecord]]:
    """The records that are a target's own, by dtype.

    :raises UserError: a newer version wrote a log, or a line is no record.
    """
    found: dict[str, list[TuningRecord]] = {}
    for folder in folders:
        for path in sorted((folder / target).glob("*.jsonl")):
            found.setdefault(path.stem, []).extend(read_log(path))
    return found


def _known_layers(folders: Sequence[Path], target: Target) -> dict[str, dict[str, set[str]]]:
    """By dtype and CPU, the layers (without what is fused behind them) that a target's logs know, its inherited ones
    too."""
    known: dict[str, dict[str, set[str]]] = {}
    for name in target.logs:
        for dtype, records in records_of(folders, name).items():
            of_cpus = known.setdefault(dtype, {})
            for record in records:
                of_cpus.setdefault(record.cpu or UNKNOWN, set()).update(_parts(Layer.parse(record.layer)))
    return known


def _parts(layer: Layer) -> set[str]:
    """The layers of a network, nothing fused, that a kernel computes: both halves of a separable one, say."""
    if layer.kind == "separable":
        return {str(layer.depthwise_part.anchor), str(layer.pointwise_part.anchor)}
    if layer.kind == "strassen":
        return {str(replace(layer.anchor, kind="pointwise"))}
    return {str(layer.anchor)}


def describe(layer: NetworkLayer) -> str | None:
    """The descriptor, nothing fused, of a line of the frontend's layer table; None for a layer that is not tuned."""
    kind = layer.kind
    if kind not in _KERNEL_KINDS:
        return None
    if kind == "dense":
        return f"dense {layer.input[-1]}->{layer.output[-1]}"
    channels, height, width = layer.input
    outputs = "" if kind == "depthwise" else f"->{layer.output[0]}"
    window = f" k{'x'.join(map(str, layer.kernel or ()))} s{layer.stride} p{layer.padding}"
    return f"{kind} {height}x{width}x{channels}{outputs}" + ("" if kind == "pointwise" else window)


def coverage(layers: Iterable[NetworkLayer], folders: Sequence[Path], targets: Iterable[Target]) -> Coverage:
    """Per target and dtype the share of a network's convolutions and dense layers that the logs know."""
    wanted = _tuned_layers(layers)
    return {
        target.name: {
            dtype: _share(wanted, set().union(*of_cpus.values()))
            for dtype, of_cpus in sorted(_known_layers(folders, target).items())
        }
        for target in targets
    }


def cpu_coverage(layers: Iterable[NetworkLayer], folders: Sequence[Path], target: Target) -> CpuCoverage:
    """Per dtype and CPU the share of a network's convolutions and dense layers that were tuned on that CPU."""
    wanted = _tuned_layers(layers)
    return {
        dtype: {cpu: _share(wanted, known) for cpu, known in sorted(of_cpus.items())}
        for dtype, of_cpus in sorted(_known_layers(folders, target).items())
    }


def _tuned_layers(layers: Iterable[NetworkLayer]) -> list[str]:
    return [described for layer in layers if (described := describe(layer))]


def _share(wanted: Sequence[str], known: set[str]) -> Share:
    return sum(layer in known for layer in wanted) / len(wanted)
