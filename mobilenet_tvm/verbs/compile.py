"""MODEL -> a package for a target."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import targets
from mobilenet_tvm import __version__
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.errors import UserError, unknown
from mobilenet_tvm.base.events import OnEvent, progress, warn_only
from mobilenet_tvm.model.coverage import as_strings, log_folders
from mobilenet_tvm.model.labels import known_labels, read_labels
from mobilenet_tvm.model.onnx_check import parse_shapes
from mobilenet_tvm.model.source import ModelSource, find_model, with_preprocessing
from mobilenet_tvm.package import static_program
from mobilenet_tvm.package.linker import linker
from mobilenet_tvm.package.manifest import TOLERANCE, Manifest
from mobilenet_tvm.package.open import REFERENCE
from mobilenet_tvm.package.store import check_output, list_files, new_package
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


def read_shapes(shape: Mapping[str, Sequence[int]] | Sequence[str] | None) -> dict[str, list[int]]:
    """Shapes by input, from a mapping or from ``NAME:1x3x224x224`` each."""
    if isinstance(shape, Mapping):
        return {name: list(dims) for name, dims in shape.items()}
    return parse_shapes(list(shape or ()))


def _labels(source: ModelSource, path: str | Path | None, outputs: list[dict[str, Any]]) -> list[str] | None:
    names = read_labels(Path(path)) if path is not None else known_labels(source.labels)
    classes = outputs[0]["shape"][-1] if outputs[0]["shape"] else 0
    if names is not None and len(names) != classes:
        if path is None:
            return None
        raise UserError(f"{path} holds {len(names)} class names, and the network has {classes} classes")
    return names


def _add_runner(folder: Path, request: dict[str, Any]) -> Path | None:
    """Copy the runner into a package's folder; for a static program return the library to link."""
    from mobilenet_tvm.native import runner_build
    from mobilenet_tvm.package import assemble

    arch = request["target"]["arch"]
    if request["static"]:
        return runner_build.static_library(arch)
    assemble.copy_runner(folder, arch)
    return None


def _fill(
    source: ModelSource, request: dict[str, Any], folder: Path, labels: str | Path | None, on_event: OnEvent
) -> Manifest:
    """Fill a package's folder: the module by the pipeline, the reference and the runner meanwhile, then the rest."""
    from mobilenet_tvm.package import assemble, reference

    target = request["target"]
    inputs = reference.seeded_inputs(source.input.shape)
    with ThreadPoolExecutor(2) as pool:
        outputs = pool.submit(reference.onnxruntime_outputs, source.onnx, inputs)
        runner = pool.submit(_add_runner, folder, request)
        built = run_child(PIPELINE, {**request, "out": str(folder)}, on_event, block=("torch",))
        progress(on_event, "package", detail="runner, reference, licences")
        library = runner.result()
        reference.write_reference(folder / REFERENCE, inputs, outputs.result())
    if library is not None:
        static_program.link_program(folder, library, target["arch"])
    else:
        cuda = built["device_code"] is not None
        assemble.copy_runtime(folder, target["arch"], target["wheel_platform"], cuda=cuda)
    assemble.write_licences(folder, static=request["static"])
    manifest = Manifest(
        model={"name": source.name, "onnx_sha256": source.onnx_sha256, "weights": source.weights},
        target={key: target[key] for key in ("name", "arch", "cpu_features", "emulator", "tvm", "gpu")},
        dtype=request["dtype"],
        threads=request["threads"],
        inputs=built["inputs"],
        outputs=built["outputs"],
        preprocessing=source.preprocessing,
        labels=_labels(source, labels, built["outputs"]),
        versions={
            "mobilenet_tvm": __version__,
            "tvm": built["tvm_version"],
            "tvm_ffi": built["tvm_ffi_version"],
            "llvm": built["llvm_version"],
            "linker": linker(target["compiler"], target["arch"]),
        },
        kernels=built["kernels"],
        files=list_files(folder),
        device_code=built["device_code"],
        tolerance=TOLERANCES[request["dtype"]],
    )
    manifest.write(folder)
    return manifest


def build_package(
    source: ModelSource,
    target: Target,
    dtype: str,
    threads: int,
    logs: Sequence[Path],
    path: Path,
    *,
    labels: str | Path | None = None,
    static: bool = False,
    on_event: OnEvent = warn_only,
) -> Manifest:
    """Compile an ONNX file and put the package at ``path``, whole or not at all."""
    request = {
        "verb": "compile",
        "onnx": str(source.onnx),
        "target": target.to_json(),
        "threads": threads,
        "dtype": dtype,
        "logs": as_strings(logs),
        "shape": {source.input.name: list(source.input.shape)},
        "static": static,
    }
    with new_package(path, static=static) as folder:
        return _fill(source, request, folder, labels, on_event)


def compile(
    model: str,
    target: str = targets.target.NATIVE,
    output: str | Path = "package",
    *,
    weights: str | None = None,
    dtype: str = "float32",
    threads: int | None = None,
    shape: Mapping[str, Sequence[int]] | Sequence[str] | None = None,
    logs: str | Path | None = None,
    labels: str | Path | None = None,
    static: bool = False,
    compiler: str | None = None,
    on_event: OnEvent = warn_only,
) -> dict[str, Any]:
    """Compile a network into a package.

    :param model: a name of the zoo, an ``.onnx`` file, or ``file.py:factory``.
    :param target: a preset, an alias, ``native``, or a ``.toml`` file.
    :param output: the package's folder, or its ``.tar.gz``; an older package there is replaced in one step.
    :param weights: ``imagenet``, ``random`` or a checkpoint file; by default ImageNet's where they can be had.
    :param threads: how many threads to schedule for; by default the target's.
    :param shape: the shape of a dynamic input, by its name.
    :param logs: a folder of tuning logs to use instead of the user's own and the checked-in ones.
    :param labels: a file with one class name per line.
    :param compiler: a C++ compiler of the system's for that target, which links the module instead of ziglang's.
    :param static: write one executable file with all of it inside, which needs nothing of the system but Linux.
    :returns: ``schemas/compile.json``.
    :raises UserError: something of this cannot be; nothing is written then.
    """
    begin = time.perf_counter()
    path = Path(output)
    chosen = targets.load(target)
    check_supported(chosen, static=static)
    check_dtype(dtype, chosen)
    if compiler is not None:
        chosen = replace(chosen, compiler=compiler)
    if static and chosen.compiler is not None:
        raise UserError("--static programs are linked by ziglang's clang alone: leave the compiler away")
    linker(chosen.compiler, chosen.arch)
    threads = chosen.threads if threads is None else threads
    check_threads(threads)
    check_output(path, static=static)
    shapes = read_shapes(shape)
    if labels is not None:
        read_labels(Path(labels))
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        source = with_preprocessing(find_model(model, weights, shapes, on_event, Path(scratch)), on_event)
        exported = time.perf_counter()
        manifest = build_package(
            source, chosen, dtype, threads, log_folders(logs), path, labels=labels, static=static, on_event=on_event
        )
    end = time.perf_counter()
    records = Counter(kernel["record"] for kernel in manifest.kernels)
    return {
        "package": str(path),
        "model": manifest.model,
        "target": chosen.name,
        "dtype": dtype,
        "threads": threads,
        "kernels": {record: records[record] for record in ("measured", "modelled", "default")},
        "seconds": {"export": exported - begin, "build": end - exported, "total": end - begin},
    }
