"""Targets: presets that come with the project, aliases of them, ``native``, and a user's own TOML files."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from mobilenet_tvm.base.errors import UserError, unknown
from mobilenet_tvm.base.host_cpu import host_arch, host_cpu, host_features, missing_features
from mobilenet_tvm.base.target_spec import NATIVE, TargetSpec
from targets.gpu_at_hand import has_gpu
from targets.read_target import PRESETS, read_target


class Target(TargetSpec):
    """One kind of machine to compile for, and whether this machine is one."""

    def missing_here(self) -> list[str]:
        """What this machine lacks to run code for this target: its CPU, and for a GPU the driver."""
        missing = missing_features(self.arch, self.cpu_features)
        return missing if self.gpu is None or has_gpu() else [*missing, "NVIDIA-driver"]


@cache
def available() -> dict[str, Target]:
    """The presets by name."""
    return {path.stem: read_target(path, Target) for path in sorted(PRESETS.glob("*.toml"))}


def native() -> Target:
    """The richest preset that this machine's CPU can run; a GPU's is never chosen unasked.

    :raises UserError: there is none, with what its CPU lacks for the most modest one.
    """
    cpus = [target for target in available().values() if target.gpu is None]
    runnable = [target for target in cpus if not target.missing_here()]
    if runnable:
        richest = max(runnable, key=lambda target: (len(target.cpu_features), target.name))
        return replace(richest, cpu=host_cpu())
    same_arch = [target for target in cpus if target.arch == host_arch()]
    if not same_arch:
        raise UserError(f"no preset is for this machine ({host_arch()}): name one of {', '.join(available())}")
    modest = min(same_arch, key=lambda target: len(target.cpu_features))
    where = f"lacks {', '.join(modest.missing_here())}" if host_features() else "does not say what it has (not Linux)"
    raise UserError(f"no preset runs here: for {modest.name} this CPU {where}")


def load(name: str) -> Target:
    """The target of that name: a preset, an alias, ``native``, or the path of a ``.toml`` file.

    :raises UserError: no target is called so (the nearest right name is offered), or the file is wrong.
    """
    if name == NATIVE:
        return native()
    if name.endswith(".toml"):
        return read_target(Path(name), Target)
    presets = available()
    if name in presets:
        return presets[name]
    by_alias = {alias: target for target in presets.values() for alias in target.aliases}
    if name in by_alias:
        return by_alias[name]
    raise unknown("target", name, [*presets, NATIVE, *by_alias])
