"""A target's TOML file: what it inherits, and whether what it says is a target."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mobilenet_tvm.base.errors import UserError, unknown
from mobilenet_tvm.base.target_spec import GpuFigures, TargetSpec

PRESETS = Path(__file__).parent / "presets"
_BASES = PRESETS / "bases"
"""What several presets share; no targets by themselves."""

_INHERITS = "inherits"
_OWN = ("aliases", "remarks", "logs")
"""Keys that are not inherited; an inherited target's logs come after the target's own."""
_OF_FEATURES = ("emulator",)
"""Keys that say nothing of a CPU with other features."""

_Spec = TypeVar("_Spec", bound=TargetSpec)


def read_target(path: Path, kind: type[_Spec]) -> _Spec:
    """The target that a TOML file describes; its name is the file's.

    :raises UserError: the file is missing, is no TOML, inherits from nothing or from itself, or has unknown, missing
        or wrong keys.
    """
    values = _inherited(path, ())
    try:
        target = msgspec.convert({**values, "name": path.stem}, kind)
    except msgspec.ValidationError as error:
        what, _, key = str(error).replace("Object missing required field", "lacks").partition(" - at `$.")
        raise UserError(f"target file {path}: {f'{key[:-1]}: ' if key else ''}{what}") from error
    if "kind" not in target.tvm:
        raise UserError(f'target file {path}: [tvm] lacks kind, such as kind = "llvm"')
    return target


def _inherited(path: Path, heirs: tuple[Path, ...]) -> dict[str, Any]:
    """What a file says, over what the file that it inherits from says."""
    if path in heirs:
        raise UserError(f"target file {heirs[0]} inherits from itself: remove {_INHERITS} from one of its ancestors")
    values = _tables(path)
    parent = values.pop(_INHERITS, None)
    if parent is None:
        inherited: dict[str, Any] = {}
    elif not isinstance(parent, str):
        raise UserError(f"target file {path}: {_INHERITS} must be the name of a preset")
    else:
        inherited = _inherited(_preset(parent, path), (*heirs, path))
    own_logs = [path.stem] if path.parent != _BASES else []
    logs = list(dict.fromkeys([*own_logs, *inherited.get("logs", ())]))
    lost = (*_OWN, *(_OF_FEATURES if "cpu_features" in values else ()))
    kept = {key: value for key, value in inherited.items() if key not in lost}
    return {"logs": logs, **_merged(kept, values)}


def _tables(path: Path) -> dict[str, Any]:
    """A file's own tables, whose keys are all known."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"target file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"target file {path} is not TOML: {error}") from error
    _check_keys(f"key in target file {path}:", values, {_INHERITS, *_keys(TargetSpec)} - {"name"})
    if isinstance(figures := values.get("gpu"), dict):
        _check_keys(f"key in [gpu] of target file {path}:", figures, _keys(GpuFigures))
    return values


def _keys(kind: type[TargetSpec] | type[GpuFigures]) -> set[str]:
    return {field.name for field in fields(kind)}


def _check_keys(what: str, keys: Iterable[str], known: set[str]) -> None:
    for key in keys:
        if key not in known:
            raise unknown(what, key, sorted(known))


def _preset(name: str, heir: Path) -> Path:
    paths = {path.stem: path for folder in (PRESETS, _BASES) for path in sorted(folder.glob("*.toml"))}
    if name not in paths:
        raise unknown(f"preset in target file {heir}: {_INHERITS} =", name, paths)
    return paths[name]


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both tables, inner tables too; where both have a key, the value ``above``. Inner tables come last, as in TOML."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return dict(sorted(merged.items(), key=lambda entry: isinstance(entry[1], dict)))
