"""MODEL -> a package for a target."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import targets
from mobilenet_tvm import __version__
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.compiled import Built, Dtype, Tensor
from mobilenet_tvm.base.document import Count, Document, Whole
from mobilenet_tvm.base.errors import UserError, unknown
from mobilenet_tvm.base.events import OnEvent, progress, warn_only
from mobilenet_tvm.base.jobs import CompileJob
from mobilenet_tvm.base.requests import CompileOptions, CompileRequest, Shapes
from mobilenet_tvm.model.coverage import log_folders
from mobilenet_tvm.model.labels import known_labels, read_labels
from mobilenet_tvm.model.onnx_inputs import parse_shapes
from mobilenet_tvm.model.source import ModelSource, find_model, with_preprocessing
from mobilenet_tvm.package import static_program
from mobilenet_tvm.package.linker import linker
from mobilenet_tvm.package.manifest import TOLERANCE, CompiledTarget, Manifest, Network, Versions, outputs_with_steps
from mobilenet_tvm.package.open import REFERENCE
from mobilenet_tvm.package.store import check_folder, check_output, list_files, new_package
from mobilenet_tvm.verbs.options import options_of
from targets import Target

PIPELINE = "tvm_pipeline"
DTYPES = ("float32",)
GPU_DTYPES = ("float32", "float16")
TOLERANCES = {"float32": TOLERANCE, "float16": 1e-2}
"""Largest error of the outputs, as a share of their range, that a right package of that dtype may have."""


def check_dtype(dtype: str, target: Target) -> None:
    """:raises UserError: no package for that target can be of that dtype; the nearest right one is offered."""
    known = DTYPES if target.gpu is None else GPU_DTYPES
    if dtype in GPU_DTYPES and dtype not in known:
        raise UserError(f"{dtype} packages are for NVIDIA GPUs; for {target.name} the dtype is {', '.join(known)}")
    if dtype not in known:
        raise unknown("dtype", dtype, known)


def check_supported(target: Target, *, static: bool = False) -> None:
    """:raises UserError: nothing can be compiled for that target, or no static program, with the reason."""
    if target.unsupported is not None:
        raise UserError(f"nothing is compiled for {target.name}: {target.unsupported}")
    if static and target.gpu is not None:
        raise UserError("--static programs cannot load a GPU's driver: leave --static away")


def check_threads(threads: int) -> None:
    """:raises UserError: not a number of threads."""
    if threads < 1:
        raise UserError(f"{threads} threads: at least 1 is needed")


def read_shapes(shape: Shapes | None) -> dict[str, list[int]]:
    """Shapes by input, from a mapping or from ``NAME:1x3x224x224`` each."""
    if isinstance(shape, Mapping):
        return {name: list(dims) for name, dims in shape.items()}
    return parse_shapes(list(shape or ()))


class RecordCounts(Document):
    """How many kernels came from which kind of record."""

    measured: Whole
    modelled: Whole
    default: Whole


class Spent(Document):
    """Seconds that the parts took."""

    export: float
    build: float
    total: float


class CompiledPackage(Document):
    """What ``compile`` returns.

    :ivar kernels: how many came from which kind of record.
    """

    package: str
    model: Network
    target: str
    dtype: Dtype
    threads: Count
    kernels: RecordCounts
    seconds: Spent


def _labels(source: ModelSource, path: str | Path | None, outputs: Sequence[Tensor]) -> tuple[str, ...] | None:
    names = read_labels(Path(path)) if path is not None else known_labels(source.labels)
    classes = outputs[0].shape[-1] if outputs[0].shape else 0
    if names is not None and len(names) != classes:
        if path is None:
            return None
        raise UserError(f"{path} holds {len(names)} class names, and the network has {classes} classes")
    return tuple(names) if names is not None else None


def _add_runner(job: CompileJob) -> Path | None:
    """Copy the runner into a package's folder; for a static program return the library to link."""
    from mobilenet_tvm.native import runner_build
    from mobilenet_tvm.package import assemble

    if job.options.static:
        return runner_build.static_library(job.target.arch)
    assemble.copy_runner(job.out, job.target.arch)
    return None


def _fill(source: ModelSource, job: CompileJob, labels: str | Path | None, on_event: OnEvent) -> Manifest:
    """Fill a package's folder: the module by the pipeline, the reference and the runner meanwhile, then the rest."""
    from mobilenet_tvm.package import assemble, quantisation, reference, yardstick

    folder, target, options = job.out, job.target, job.options
    with ThreadPoolExecutor(2) as pool:
        computed = pool.submit(yardstick.make_pairs, source.onnx, source.inputs)
        runner = pool.submit(_add_runner, job)
        built = run_child(PIPELINE, job, Built, on_event, block=("torch",))
        progress(on_event, "package", detail="runner, reference, licences")
        library = runner.result()
        pairs = computed.result()
        reference.write_reference(folder / REFERENCE, pairs)
    if library is not None:
        static_program.link_program(folder, library, target.arch)
    else:
        assemble.copy_runtime(folder, target.arch, target.wheel_platform, cuda=built.device_code is not None)
    assemble.write_licences(folder, static=options.static)
    manifest = Manifest(
        model=Network(name=source.name, onnx_sha256=source.onnx_sha256, weights=source.weights),
        target=CompiledTarget.from_json(target),
        dtype=options.dtype,
        threads=job.threads,
        inputs=built.inputs,
        outputs=outputs_with_steps(built.outputs, quantisation.output_steps(source.onnx, pairs)),
        preprocessing=source.preprocessing,
        labels=_labels(source, labels, built.outputs),
        versions=Versions(
            mobilenet_tvm=__version__,
            tvm=built.tvm_version,
            tvm_ffi=built.tvm_ffi_version,
            llvm=built.llvm_version,
            linker=linker(target.compiler, target.arch),
        ),
        kernels=built.kernels,
        files=list_files(folder),
        device_code=built.device_code,
        tolerance=TOLERANCES[options.dtype],
    )
    manifest.write(folder)
    return manifest


def build_package(
    source: ModelSource,
    target: Target,
    threads: int,
    logs: Sequence[Path],
    path: Path,
    options: CompileOptions,
    *,
    labels: str | Path | None = None,
    on_event: OnEvent = warn_only,
) -> Manifest:
    """Compile an ONNX file and put the package at ``path``, whole or not at all."""
    with new_package(path, static=options.static) as folder:
        job = CompileJob(
            onnx=source.onnx,
            target=target,
            threads=threads,
            out=folder,
            logs=tuple(logs),
            shape=source.shapes,
            options=options,
        )
        return _fill(source, job, labels, on_event)


def _target(request: CompileRequest) -> Target:
    """The target that the request names.

    :raises UserError: it cannot be compiled for.
    """
    target = targets.load(request.target)
    check_supported(target, static=request.static)
    check_dtype(request.dtype, target)
    if request.compiler is not None:
        target = replace(target, compiler=request.compiler)
    if request.static and target.compiler is not None:
        raise UserError("--static programs are linked by ziglang's clang alone: leave the compiler away")
    linker(target.compiler, target.arch)
    return target


@options_of(CompileRequest)
def compile(request: CompileRequest) -> CompiledPackage:
    """Compile a network into a package.

    :returns: ``schemas/compile.json``.
    :raises UserError: something of this cannot be; nothing is written then.
    """
    begin = time.perf_counter()
    path, on_event = Path(request.output), request.on_event
    target = _target(request)
    threads = target.threads if request.threads is None else request.threads
    check_threads(threads)
    check_output(path, static=request.static)
    if request.dump is not None:
        check_folder(Path(request.dump))
    shapes = read_shapes(request.shape)
    if request.labels is not None:
        read_labels(Path(request.labels))
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        found = find_model(request.model, request.weights, shapes, on_event, Path(scratch), request.outputs)
        source = with_preprocessing(found, on_event)
        exported = time.perf_counter()
        logs, options = log_folders(request.logs), CompileOptions.of(request)
        manifest = build_package(source, target, threads, logs, path, options, labels=request.labels, on_event=on_event)
    end = time.perf_counter()
    records = Counter(kernel.record for kernel in manifest.kernels)
    return CompiledPackage(
        package=str(path),
        model=manifest.model,
        target=target.name,
        dtype=request.dtype,
        threads=threads,
        kernels=RecordCounts(**{kind: records[kind] for kind in ("measured", "modelled", "default")}),
        seconds=Spent(export=exported - begin, build=end - exported, total=end - begin),
    )
