"""A package's numbers before it is put in its place.

Where the target's code runs on this machine, the package itself runs. Else the same graph does, lowered for this
machine: that checks what the importer and the passes made of the ONNX file, once per file.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import targets
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.events import OnEvent, progress, warning
from mobilenet_tvm.base.jobs import CompileJob
from mobilenet_tvm.base.paths import cache_dir, package_folder, replacing, sha256_file, sha256_tree
from mobilenet_tvm.base.requests import CompileOptions
from mobilenet_tvm.check.checked import Checked
from mobilenet_tvm.check.first_wrong import first_wrong
from mobilenet_tvm.check.self_test_here import self_test_here, signature_error
from mobilenet_tvm.model.source import ModelSource
from mobilenet_tvm.package.build import fill_package
from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.places.answers import SelfTest
from mobilenet_tvm.places.conditions import versions
from targets import Target


def check_package(
    source: ModelSource, job: CompileJob, target: Target, manifest: Manifest, on_event: OnEvent
) -> Checked | None:
    """Check the package that lies in ``job.out``.

    :returns: None where no code of ours runs on this machine; the user is warned.
    :raises SystemFailure: an output is wrong; the first operator whose result is off is named.
    """
    if (error := signature_error(job.out, manifest)) is not None:
        raise SystemFailure(f"{source.name} compiled for {target.name} is wrong and was not written: {error}")
    if not target.missing_here():
        return Checked.of_test(_tested(source, job, manifest, on_event), "run", target.name)
    try:
        here = targets.native()
    except UserError as error:
        warning(on_event, f"{source.name} for {target.name} was not checked: {error}")
        return None
    return _lowered(source, job, here, on_event)


def _tested(source: ModelSource, job: CompileJob, manifest: Manifest, on_event: OnEvent) -> SelfTest:
    progress(on_event, "checking")
    test = self_test_here(job.out, manifest, on_event)
    if not test.passed:
        raise SystemFailure(
            f"{source.name} compiled for {job.target.name} is wrong and was not written: "
            f"{first_wrong(source, job, test, on_event)}; --no-check writes it all the same"
        )
    return test


def _verdict(source: ModelSource, here: Target) -> Path:
    """The file that remembers what came of the graph on this machine, whatever it was compiled for."""
    facts = {
        "onnx": sha256_file(source.onnx),
        "shapes": source.shapes,
        "target": here.to_json(),
        "pipeline": sha256_tree(package_folder("tvm_pipeline"), ("*.py",)),
        "versions": versions("apache-tvm", "apache-tvm-ffi", "onnxruntime"),
    }
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
    return cache_dir() / "checked" / f"{key}.json"


def _lowered(source: ModelSource, job: CompileJob, here: Target, on_event: OnEvent) -> Checked:
    path = _verdict(source, here)
    if path.is_file():
        return replace(Checked.from_json(json.loads(path.read_text(encoding="utf-8"))), how="remembered")
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        again = replace(job, target=here, threads=1, logs=(), out=Path(scratch), options=CompileOptions())
        manifest = fill_package(source, again, None, on_event)
        checked = Checked.of_test(_tested(source, again, manifest, on_event), "lowered", here.name)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(checked.to_json()), encoding="utf-8")
    return checked
