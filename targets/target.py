"""Targets: presets that come with the project, aliases of them, ``native``, and a user's own TOML files."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.errors import UserError, unknown
from mobilenet_tvm.base.host_cpu import host_arch, host_features, missing_features
from targets.gpu_at_hand import has_gpu

PRESETS = Path(__file__).parent / "presets"
NATIVE = "native"


@dataclass(frozen=True)
class Target:
    """One kind of machine to compile for.

    :ivar tvm: arguments of ``tvm.target.Target``, without ``num-cores``.
    :ivar cpu_features: what a CPU must have, named as in the flags of /proc/cpuinfo.
    :ivar vector_bits: width of the widest vector that code for it uses.
    :ivar threads: how many threads its packages are scheduled for by default.
    :ivar toolchain: compiler target of its runner and of the modules' link.
    :ivar compiler: a C++ compiler of the system's, which links its modules instead of ziglang's.
    :ivar wheel_platform: pip's name of the platform whose wheels hold TVM's runtime for it.
    :ivar emulator: the CPU model by which QEMU emulates it; None where QEMU cannot.
    :ivar gpu: figures of the GPU that its code is cut for (``tvm_pipeline.hardware.gpu.GpuUnit``); None for a CPU.
    :ivar driver: the least branch of the GPU's driver that runs its packages, such as ``580``.
    :ivar unsupported: why nothing can be compiled for it; None where it can.
    :ivar logs: names of the targets whose tuning logs apply, its own first.
    """

    name: str
    title: str
    arch: str
    tvm: dict[str, Any]
    vector_bits: int
    cpu_features: tuple[str, ...] = ()
    threads: int = 1
    toolchain: str | None = None
    compiler: str | None = None
    wheel_platform: str | None = None
    emulator: str | None = None
    gpu: dict[str, Any] | None = None
    driver: str | None = None
    unsupported: str | None = None
    logs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    remarks: str = ""

    def to_json(self) -> dict[str, Any]:
        """The target as plain JSON values, as a request to the pipeline carries it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    def missing_here(self) -> list[str]:
        """What this machine lacks to run code for this target: its CPU, and for a GPU the driver."""
        missing = missing_features(self.arch, self.cpu_features)
        return missing if self.gpu is None or has_gpu() else [*missing, "NVIDIA-driver"]


_TYPES: dict[str, type] = {
    "title": str,
    "arch": str,
    "tvm": dict,
    "vector_bits": int,
    "cpu_features": list,
    "threads": int,
    "toolchain": str,
    "compiler": str,
    "wheel_platform": str,
    "emulator": str,
    "gpu": dict,
    "driver": str,
    "unsupported": str,
    "logs": list,
    "aliases": list,
    "remarks": str,
}
_REQUIRED = tuple(field.name for field in fields(Target) if field.name in ("title", "arch", "tvm", "vector_bits"))


def _read(path: Path) -> Target:
    """The target that a TOML file describes; its name is the file's.

    :raises UserError: the file is missing, is not TOML, or has unknown, missing or wrongly typed keys.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"target file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"target file {path} is not TOML: {error}") from error
    for key, value in values.items():
        if key not in _TYPES:
            raise unknown(f"key in target file {path}:", key, _TYPES)
        if not isinstance(value, _TYPES[key]):
            raise UserError(f"target file {path}: {key} must be of type {_TYPES[key].__name__}")
    if missing := [key for key in _REQUIRED if key not in values]:
        raise UserError(f"target file {path} lacks {', '.join(missing)}")
    if "kind" not in values["tvm"]:
        raise UserError(f'target file {path}: [tvm] lacks kind, such as kind = "llvm"')
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return Target(name=path.stem, **{"logs": (path.stem,), **values})


@cache
def available() -> dict[str, Target]:
    """The presets by name."""
    return {path.stem: _read(path) for path in sorted(PRESETS.glob("*.toml"))}


def native() -> Target:
    """The richest preset that this machine's CPU can run; a GPU's is never chosen unasked.

    :raises UserError: there is none, with what its CPU lacks for the most modest one.
    """
    cpus = [target for target in available().values() if target.gpu is None]
    runnable = [target for target in cpus if not target.missing_here()]
    if runnable:
        return max(runnable, key=lambda target: (len(target.cpu_features), target.name))
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
        return _read(Path(name))
    presets = available()
    if name in presets:
        return presets[name]
    by_alias = {alias: target for target in presets.values() for alias in target.aliases}
    if name in by_alias:
        return by_alias[name]
    raise unknown("target", name, [*presets, NATIVE, *by_alias])
