"""Filling a package's folder: the module by the pipeline, the reference and the runner meanwhile, then the rest."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mobilenet_tvm import __version__
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.compiled import Built, Tensor
from mobilenet_tvm.base.document import UNSET
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, progress, warning
from mobilenet_tvm.base.jobs import PIPELINE, CompileJob
from mobilenet_tvm.model.labels import known_labels, read_labels
from mobilenet_tvm.model.source import ModelSource
from mobilenet_tvm.native import runner_build
from mobilenet_tvm.package import assemble, bfloat16, int8, static_program
from mobilenet_tvm.package.linker import linker
from mobilenet_tvm.package.manifest import (
    TOLERANCES,
    CompiledTarget,
    Manifest,
    Network,
    Versions,
    outputs_with_steps,
)
from mobilenet_tvm.package.open import REFERENCE
from mobilenet_tvm.package.quantisation import is_quantised, output_steps
from mobilenet_tvm.package.reference import Pair, write_reference
from mobilenet_tvm.package.store import list_files
from mobilenet_tvm.package.yardstick import make_pairs


def _labels(source: ModelSource, path: str | Path | None, outputs: Sequence[Tensor]) -> tuple[str, ...] | None:
    names = read_labels(Path(path)) if path is not None else known_labels(source.labels) or source.classes or None
    classes = outputs[0].shape[-1] if outputs[0].shape else 0
    if names is not None and len(names) != classes:
        if path is None:
            return None
        raise UserError(f"{path} holds {len(names)} class names, and the network has {classes} classes")
    return tuple(names) if names is not None else None


def _add_runner(job: CompileJob) -> Path | None:
    """Copy the runner into a package's folder; for a static program return the library to link."""
    if job.options.static:
        return runner_build.static_library(job.target.arch)
    assemble.copy_runner(job.out, job.target.arch)
    return None


def _manifest(
    source: ModelSource,
    job: CompileJob,
    built: Built,
    pairs: Sequence[Pair],
    labels: str | Path | None,
    on_event: OnEvent,
) -> Manifest:
    return Manifest(
        model=Network(name=source.name, onnx_sha256=source.onnx_sha256, weights=source.weights),
        target=CompiledTarget.from_json(job.target),
        dtype=job.options.dtype,
        threads=job.threads,
        inputs=built.inputs,
        outputs=outputs_with_steps(built.outputs, output_steps(source.onnx, pairs)),
        preprocessing=source.preprocessing,
        labels=_labels(source, labels, built.outputs),
        versions=Versions(
            mobilenet_tvm=__version__,
            tvm=built.tvm_version,
            tvm_ffi=built.tvm_ffi_version,
            llvm=built.llvm_version,
            linker=linker(job.target.compiler, job.target.arch),
        ),
        kernels=built.kernels,
        files=list_files(job.out),
        device_code=built.device_code,
        tolerance=_tolerance(source.onnx, job.options.dtype, pairs, on_event),
        quantisation=UNSET if source.quantisation is None else source.quantisation,
    )


def _tolerance(onnx: Path, dtype: str, pairs: Sequence[Pair], on_event: OnEvent) -> float:
    if dtype == "int8" or is_quantised(onnx):
        return int8.tolerance_of(onnx, pairs)
    if dtype != "bfloat16":
        return TOLERANCES[dtype]
    tolerance = bfloat16.tolerance_of(onnx, pairs)
    if tolerance > bfloat16.NOTEWORTHY:
        warning(on_event, f"bfloat16 costs this network up to {tolerance:.2g} of its outputs' range, float32 nothing")
    return tolerance


def fill_package(source: ModelSource, job: CompileJob, labels: str | Path | None, on_event: OnEvent) -> Manifest:
    """Make a package in the folder ``job.out``.

    :param labels: a file with one class name per line.
    :raises UserError: the network cannot be compiled, or the labels do not fit.
    """
    folder, target, static = job.out, job.target, job.options.static
    with ThreadPoolExecutor(2) as pool:
        computed = pool.submit(make_pairs, source.onnx, source.inputs)
        runner = pool.submit(_add_runner, job)
        built = run_child(PIPELINE, job, Built, on_event, block=("torch",))
        progress(on_event, "package", detail="runner, reference, licences")
        library, pairs = runner.result(), computed.result()
    write_reference(folder / REFERENCE, pairs)
    if library is not None:
        static_program.link_program(folder, library, target.arch)
    else:
        assemble.copy_runtime(folder, target.arch, target.wheel_platform, cuda=built.device_code is not None)
    assemble.write_licences(folder, static=static)
    manifest = _manifest(source, job, built, pairs, labels, on_event)
    manifest.write(folder)
    return manifest
