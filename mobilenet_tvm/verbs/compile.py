"""MODEL -> a package for a target."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import targets
from mobilenet_tvm.base.compiled import Dtype, fallback_share
from mobilenet_tvm.base.cpu_name import known_cpus
from mobilenet_tvm.base.document import UNSET, Count, Document, Share, UnsetType, Whole
from mobilenet_tvm.base.errors import UserError, unknown
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.base.jobs import CompileJob
from mobilenet_tvm.base.requests import CompileOptions, CompileRequest, Shapes
from mobilenet_tvm.check.checked import Checked
from mobilenet_tvm.model.coverage import log_folders
from mobilenet_tvm.model.labels import read_labels
from mobilenet_tvm.model.onnx_inputs import parse_shapes
from mobilenet_tvm.model.source import ModelSource, find_model, with_preprocessing
from mobilenet_tvm.package.linker import linker
from mobilenet_tvm.package.manifest import Manifest, Network
from mobilenet_tvm.package.store import check_folder, check_output, new_package
from mobilenet_tvm.verbs.options import options_of
from mobilenet_tvm.verbs.quantised import check_calibration, in_dtype, keep
from targets import Target

DTYPES = {
    "float32": "all targets",
    "float16": "NVIDIA GPUs",
    "int8": "CPUs",
    "bfloat16": "CPUs with AVX512-BF16 (x86-64-v4-bf16)",
}
"""What packages may be of, and for which targets."""


def check_dtype(dtype: str, target: Target) -> None:
    """:raises UserError: no package for that target can be of that dtype; the nearest right one is offered."""
    if dtype in DTYPES and dtype not in target.dtypes:
        raise UserError(f"{dtype} packages are for {DTYPES[dtype]}; for {target.name}: {', '.join(target.dtypes)}")
    if dtype not in DTYPES:
        raise unknown("dtype", dtype, target.dtypes)


def check_supported(target: Target, *, static: bool = False) -> None:
    """:raises UserError: nothing can be compiled for that target, or no static program, with the reason."""
    if target.unsupported is not None:
        raise UserError(f"nothing is compiled for {target.name}: {target.unsupported}")
    if static and target.gpu is not None:
        raise UserError("--static programs cannot load a GPU's driver: leave --static away")


def for_cpu(target: Target, cpu: str) -> Target:
    """The target with the tuning records of a CPU.

    :raises UserError: no CPU of its architecture is called so.
    """
    known = known_cpus(target.arch)
    if cpu not in known:
        raise unknown("CPU", cpu, known)
    return replace(target, cpu=cpu)


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
    :ivar check: null where the user asked for none, or this machine can run no code of ours.
    :ivar fallback_share: of the estimated time, what kernels take that no generator of schedules knows (CPUs).
    """

    package: str
    model: Network
    target: str
    dtype: Dtype
    threads: Count
    kernels: RecordCounts
    check: Checked | None
    seconds: Spent
    fallback_share: Share | UnsetType = UNSET


def build_package(
    source: ModelSource,
    target: Target,
    threads: int,
    logs: Sequence[Path],
    path: Path,
    options: CompileOptions,
    *,
    labels: str | Path | None = None,
    check: bool = True,
    on_event: OnEvent = warn_only,
) -> tuple[Manifest, Checked | None]:
    """Compile an ONNX file and put the package at ``path``, whole, right, or not at all.

    :returns: its manifest, and how it was checked.
    :raises SystemFailure: it computes something else than the file says.
    """
    from mobilenet_tvm.check.package_check import check_package
    from mobilenet_tvm.package.build import fill_package

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
        manifest = fill_package(source, job, labels, on_event)
        return manifest, check_package(source, job, target, manifest, on_event) if check else None


def _target(request: CompileRequest) -> Target:
    """The target that the request names.

    :raises UserError: it cannot be compiled for.
    """
    target = targets.load(request.target)
    check_supported(target, static=request.static)
    check_dtype(request.dtype, target)
    if request.cpu is not None:
        target = for_cpu(target, request.cpu)
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
    :raises SystemFailure: what came of it computes something else than the ONNX file says; nothing is written.
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
    check_calibration(request, request.dtype)
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        found = find_model(request.model, request.weights, shapes, on_event, Path(scratch), request.outputs)
        source = in_dtype(with_preprocessing(found, on_event), request, request.dtype)
        exported = time.perf_counter()
        logs, options = log_folders(request.logs), CompileOptions.of(request)
        manifest, checked = build_package(
            source,
            target,
            threads,
            logs,
            path,
            options,
            labels=request.labels,
            check=request.check,
            on_event=on_event,
        )
        keep(source, request)
    end = time.perf_counter()
    records, share = Counter(kernel.record for kernel in manifest.kernels), fallback_share(manifest.kernels)
    return CompiledPackage(
        package=str(path),
        model=manifest.model,
        target=target.name,
        dtype=request.dtype,
        threads=threads,
        kernels=RecordCounts(**{kind: records[kind] for kind in ("measured", "modelled", "default")}),
        check=checked,
        seconds=Spent(export=exported - begin, build=end - exported, total=end - begin),
        fallback_share=UNSET if share is None else share,
    )
