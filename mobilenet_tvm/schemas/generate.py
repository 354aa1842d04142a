"""JSON Schemas out of the types: what is printed, its keys' bounds, and what the types' ``:ivar`` lines say of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import PurePath
from typing import Annotated, Any

import msgspec

from mobilenet_tvm.base.answers import Exported, LogsChecked, LogsExported, Trained
from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.events import TrialLine
from mobilenet_tvm.base.logs.choice_log import ChoiceLine
from mobilenet_tvm.base.logs.tuning_log import LogLine
from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.verbs.bench import Benched
from mobilenet_tvm.verbs.cache import CacheCleared, CacheShown
from mobilenet_tvm.verbs.compare import Compared
from mobilenet_tvm.verbs.compile import CompiledPackage
from mobilenet_tvm.verbs.devices import DevicesFound
from mobilenet_tvm.verbs.doctor import Diagnosis
from mobilenet_tvm.verbs.inspect import Inspected
from mobilenet_tvm.verbs.logs import LogsShown
from mobilenet_tvm.verbs.models import DescribedModel, ListedModel
from mobilenet_tvm.verbs.profile import Profiled
from mobilenet_tvm.verbs.profile_gpu import GpuProfiled
from mobilenet_tvm.verbs.run import ImagesClassified
from mobilenet_tvm.verbs.targets import DescribedTarget
from mobilenet_tvm.verbs.tune import Tuned
from mobilenet_tvm.verbs.verify import Verified

_SOME = msgspec.Meta(min_length=1)
SCHEMAS: dict[str, tuple[str, Any]] = {
    "bench": ("bench --json", Benched),
    "cache_clear": ("cache clear --json", CacheCleared),
    "cache_show": ("cache show --json", CacheShown),
    "compare": ("compare --json", Compared),
    "compile": ("compile --json", CompiledPackage),
    "devices": ("devices --json", DevicesFound),
    "doctor": ("doctor --json", Diagnosis),
    "export": ("export --json", Exported),
    "inspect": ("inspect --json: the manifest and the files' sizes", Inspected),
    "logs_check": ("logs check --json", LogsChecked),
    "logs_export": ("logs export --json", LogsExported),
    "logs_show": ("logs show --json", LogsShown),
    "manifest": ("manifest.json of a package", Manifest),
    "model": ("models NAME --json", DescribedModel),
    "models": ("models --json", Annotated[list[ListedModel], _SOME]),
    "profile": ("profile --json", Profiled),
    "profile_gpu": ("profile --json of a GPU's package", GpuProfiled),
    "run": ("run --json", ImagesClassified),
    "target": ("targets NAME --json", DescribedTarget),
    "targets": ("targets --json", Annotated[list[DescribedTarget], _SOME]),
    "train": ("train --json", Trained),
    "tune": ("what tune() returns", Tuned),
    "tune_trial": ("a line of tune --json: one durable trial", TrialLine),
    "tuning_log_line": ("A line of tuning_logs/<target>/<dtype>.jsonl", LogLine),
    "tuning_choice_line": ("A line of tuning_logs/<target>/choices/<dtype>.jsonl", ChoiceLine),
    "verify": ("verify --json", Verified),
}
"""By name, a title and the type that it publishes."""

_IVAR = re.compile(r"^:ivar (\w+): (.*?)(?=^:|\Z)", re.MULTILINE | re.DOTALL)


def schema_text(name: str) -> str:
    """The schema of that name, as its file holds it."""
    title, kind = SCHEMAS[name]
    (root,), parts = msgspec.json.schema_components([kind], schema_hook=_of_path)
    if "$ref" in root:
        root = parts.pop(root["$ref"].rpartition("/")[2])
    documented = {document.__name__: document for document in _documents()}
    for part in (root, *parts.values()):
        _describe(part, documented.get(part.get("title", "")))
    root["title"] = title
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **root}
    return json.dumps({**schema, "$defs": parts} if parts else schema, indent=1) + "\n"


def _of_path(kind: type) -> dict[str, str]:
    assert issubclass(kind, PurePath)
    return {"type": "string"}


def _documents(kind: type[Document] = Document) -> Iterator[type[Document]]:
    for below in kind.__subclasses__():
        yield below
        yield from _documents(below)


def _describe(part: dict[str, Any], kind: type[Document] | None) -> None:
    """Put the documentation of a type's keys where a schema has it, and leave their defaults out: all are printed."""
    if kind is None:
        return
    part["description"] = " ".join(cleandoc(kind.__doc__ or "").partition("\n:ivar")[0].split())
    for key, text in _keys(kind).items():
        part["properties"].get(key, {})["description"] = text
    for value in part["properties"].values():
        value.pop("default", None)


def _keys(kind: type[Document]) -> dict[str, str]:
    """What a type and those that it inherits from say of their keys."""
    texts = [cleandoc(base.__doc__ or "") for base in reversed(kind.__mro__) if issubclass(base, Document)]
    return {key: " ".join(text.split()).rstrip(".") for doc in texts for key, text in _IVAR.findall(doc)}
