"""The targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import targets as presets
from mobilenet_tvm.base.answers import NetworkLayer
from mobilenet_tvm.base.document import Share
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only, warning
from mobilenet_tvm.base.target_spec import TargetSpec
from mobilenet_tvm.model import zoo
from mobilenet_tvm.model.coverage import CpuCoverage, coverage, cpu_coverage, log_folders
from targets import Target


class DescribedTarget(TargetSpec):
    """A target, and what it is to this machine.

    :ivar missing_here: what this CPU lacks.
    :ivar coverage: dtype -> share of the zoo's convolutions and dense layers that its logs know; null where torch is
        not installed.
    :ivar cpu_coverage: dtype -> CPU (LLVM's name, or unknown) -> that share, of records measured or modelled for that
        CPU; null for a GPU, and where torch is not installed.
    """

    runs_here: bool
    missing_here: tuple[str, ...]
    coverage: dict[str, Share] | None
    cpu_coverage: CpuCoverage | None


def _describe(target: Target, layers: Sequence[NetworkLayer] | None) -> DescribedTarget:
    missing = tuple(target.missing_here())
    covered = coverage(layers, log_folders(None), [target])[target.name] if layers is not None else None
    of_cpus = cpu_coverage(layers, log_folders(None), target) if layers is not None and target.gpu is None else None
    return DescribedTarget(
        **target, runs_here=not missing, missing_here=missing, coverage=covered, cpu_coverage=of_cpus
    )


@overload
def targets(name: None = None, *, on_event: OnEvent = warn_only) -> list[DescribedTarget]: ...
@overload
def targets(name: str, *, on_event: OnEvent = warn_only) -> DescribedTarget: ...
def targets(name: str | None = None, *, on_event: OnEvent = warn_only) -> list[DescribedTarget] | DescribedTarget:
    """The presets, or one target.

    :param name: a preset, an alias, ``native`` or a ``.toml`` file.
    :returns: ``schemas/targets.json``, or with ``name`` ``schemas/target.json``.
    :raises UserError: no target is called so; the nearest right name is offered.
    """
    chosen = presets.load(name) if name is not None else None
    layers = None
    try:
        layers = [layer for model in zoo.models(None, on_event) for layer in model.layers]
    except UserError as error:
        warning(on_event, f"how much of the zoo the logs cover is not known: {error}")
    if chosen is not None:
        return _describe(chosen, layers)
    return [_describe(target, layers) for target in presets.available().values()]
