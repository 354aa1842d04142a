"""A package's module on a board that TVM's own RPC server serves: uploaded, run and timed through TVM's VM."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tvm
from tvm import relax

from mobilenet_tvm.base.errors import UserError

MODULE, REFERENCE = "module.so", "reference.npz"
MAIN = "main"


class _Module:
    """The module loaded on the board. A server hands out no tuples, so inputs and outputs go through the VM's state."""

    def __init__(self, remote: Any, folder: Path, threads: int) -> None:
        remote.upload(str(folder / MODULE))
        remote.get_function("runtime.config_threadpool")(1, threads)  # 1: the big cores first
        self._device = remote.cpu(0)
        self._vm = relax.VirtualMachine(remote.load_module(MODULE), self._device)

    def set_input(self, values: np.ndarray) -> None:
        self._vm.set_input(MAIN, tvm.runtime.tensor(values, self._device))

    def run(self, values: np.ndarray) -> np.ndarray:
        self.set_input(values)
        self._vm.invoke_stateful(MAIN)
        outputs = self._vm.get_outputs(MAIN)
        first: np.ndarray = (outputs[0] if isinstance(outputs, tuple | list) else outputs).numpy()
        return first

    def seconds(self, repeat: int) -> list[float]:
        """Of single inferences on the input that was set last, after one that does not count."""
        evaluator = self._vm.time_evaluator("invoke_stateful", self._device, number=1, repeat=repeat)
        return [float(second) for second in evaluator(MAIN).results]


def _parse(words: Sequence[str], manifest: dict[str, Any]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("images", nargs="*")
    parser.add_argument("--threads", type=int, default=int(manifest["threads"]))
    parser.add_argument("--repeat", type=int)
    parser.add_argument("--top", type=int, default=5)
    for flag in ("--self-test", "--profile", "--json"):
        parser.add_argument(flag, action="store_true")
    return parser.parse_args(words)


def run_module(remote: Any, folder: Path, words: Sequence[str]) -> dict[str, Any]:
    """What ``mobilenet-run PACKAGE WORDS... --json`` prints, worked out through TVM's RPC alone.

    :raises UserError: it is a profile, which only a board that mobilenet-run serves can make.
    """
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    options = _parse(words, manifest)
    if options.profile:
        raise UserError("profile needs a board that mobilenet-run serves: start ./run.sh --serve HOST:PORT there")
    module = _Module(remote, folder, options.threads)
    common = {"model": manifest["model"]["name"], "target": manifest["target"]["name"], "threads": options.threads}
    with np.load(folder / REFERENCE, allow_pickle=False) as arrays:
        count = len(arrays.files) // 2
        references = [(arrays[f"x{i}"], arrays[f"y{i}"]) for i in range(count)]
    if options.self_test:
        return {**common, "self_test": _self_test([(module.run(x), y) for x, y in references])}
    if options.images:
        outputs = [(image, module.run(np.load(image, allow_pickle=False))) for image in options.images]
        return {**common, "results": [_classified(name, out, options.top, manifest["labels"]) for name, out in outputs]}
    module.set_input(references[0][0])
    return {**common, "bench": _summary(module.seconds(options.repeat))}


def _order(row: np.ndarray) -> np.ndarray:
    """Classes by score, the lower number first where two are equal."""
    return np.argsort(-row, kind="stable")


def _self_test(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    wanted = np.concatenate([reference.ravel() for _, reference in pairs])
    rows = [(ours, theirs) for out, reference in pairs for ours, theirs in zip(out, reference, strict=True)]
    return {
        "max_abs_err": max(float(np.abs(out - reference).max()) for out, reference in pairs),
        "output_range": float(np.ptp(wanted)),
        "top1_agrees": all(_order(ours)[0] == _order(theirs)[0] for ours, theirs in rows),
        "top5_agrees": all(set(_order(ours)[:5]) == set(_order(theirs)[:5]) for ours, theirs in rows),
    }


def _classified(name: str, output: np.ndarray, top: int, labels: Sequence[str] | None) -> dict[str, Any]:
    scores = output[0].astype(np.float64)
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    best = _order(output[0])[:top]
    entries = [
        {"class_id": int(one), "label": labels[one] if labels else f"class {one}", "probability": float(shares[one])}
        for one in best
    ]
    return {"image": name, "top": entries}


def _summary(seconds: Sequence[float]) -> dict[str, Any]:
    low, middle, high = (float(one) for one in 1e3 * np.quantile(seconds, (0.0, 0.5, 0.9)))
    return {"min_ms": low, "median_ms": middle, "p90_ms": high, "runs": len(seconds)}
