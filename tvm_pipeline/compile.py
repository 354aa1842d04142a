"""ONNX file -> module.so."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tvm

from mobilenet_tvm.base.compiled import Built, DeviceCode, Tensor
from mobilenet_tvm.base.protocol import Emit
from mobilenet_tvm.base.tuning_log import TuningLogs
from tvm_pipeline.backends.gpu_model.figures import add_figures, describe_model
from tvm_pipeline.codegen.build import build
from tvm_pipeline.codegen.cuda.argument_bytes import add_arguments
from tvm_pipeline.codegen.cuda.build import write_device_code
from tvm_pipeline.codegen.link import link_shared, link_shared_by
from tvm_pipeline.codegen.static import export_static
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.importer.import_onnx import import_onnx, output_names
from tvm_pipeline.passes.pipeline import lower
from tvm_pipeline.passes.schedule_kernels import schedule_kernels


def compile_model(
    onnx_path: Path,
    target: AnyTarget,
    logs: TuningLogs,
    threads: int,
    output: Path,
    shapes: Mapping[str, Sequence[int]] | None = None,
    emit: Emit | None = None,
    *,
    static: bool = False,
) -> Built:
    """Writes ``output/module.so``, for a static program its parts (:mod:`tvm_pipeline.codegen.static`), and returns
    what the manifest needs (tensors, kernels, device code, versions)."""
    report = emit.progress if emit is not None else lambda stage: None
    warn = emit.warning if emit is not None else lambda message: None
    report("importing")
    module = import_onnx(onnx_path, shapes)
    inputs, outputs = _signature(module, output_names(onnx_path))
    report("lowering")
    with target.tvm:
        module = lower(module, target.unit)
        report("scheduling")
        module, kernels = schedule_kernels(module, logs, target.unit, threads, warn)
        report("generating code")
        built = build(module, target, static=static)
    report("linking")
    path = output / ("module.bin" if static else "module.so")
    if static:
        export_static(built.executable, output, target.zig_target)
    else:
        built.executable.export_library(str(path), fcompile=_linker(target))
    device_code = None
    if built.fatbin is not None:
        report("modelling")
        device_code = write_device_code(built.fatbin, path, target.driver)
        kernels_with_figures = add_figures(device_code["kernels"], module, target)
        device_code["kernels"] = add_arguments(kernels_with_figures, built.fatbin.source, module)
        device_code["model"] = describe_model(target)
    return Built(
        module=path,
        inputs=inputs,
        outputs=outputs,
        kernels=tuple(kernels),
        device_code=DeviceCode.from_json(device_code) if device_code is not None else None,
        **versions(),
    )


def _linker(target: AnyTarget) -> Any:
    def link(output: str, objects: Sequence[str], options: Any = None, **_: Any) -> None:
        if target.compiler is not None:
            link_shared_by(target.compiler, output, objects)
        else:
            link_shared(output, objects, target.zig_target)

    return link


def _tensor(name: str, kind: Any) -> Tensor:
    return Tensor(name=name, shape=tuple(int(extent) for extent in kind.shape), dtype=str(kind.dtype))


def _signature(module: tvm.IRModule, names: Sequence[str]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Inputs and outputs of ``main``; the importer keeps the inputs' names and drops the outputs', here ``names``."""
    function = module["main"]
    inputs = tuple(_tensor(parameter.name, parameter.ty) for parameter in function.params)
    types = getattr(function.ret_ty, "fields", None) or [function.ret_ty]
    return inputs, tuple(_tensor(name, kind) for name, kind in zip(names, types, strict=True))


def versions() -> dict[str, str]:
    """Of TVM, its FFI and the LLVM inside it."""
    return {
        "tvm_version": tvm.__version__,
        "tvm_ffi_version": importlib.metadata.version("apache-tvm-ffi"),
        "llvm_version": str(tvm.target.codegen.llvm_version_major()),
    }
