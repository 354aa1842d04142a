"""ONNX file -> module.so."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import tvm
from onnx import ModelProto

from mobilenet_tvm.base.compiled import Built, DeviceCode, Tensor
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from mobilenet_tvm.base.protocol import Emit
from mobilenet_tvm.base.requests import CompileOptions
from tvm_pipeline.backends.gpu_model.figures import add_figures, describe_model
from tvm_pipeline.codegen.build import Generated, build
from tvm_pipeline.codegen.cuda.argument_bytes import add_arguments
from tvm_pipeline.codegen.cuda.build import write_device_code
from tvm_pipeline.codegen.cuda.fatbin import Fatbin
from tvm_pipeline.codegen.dump import IMPORTED, LOWERED, SCHEDULED, Dump
from tvm_pipeline.codegen.link import link_shared, link_shared_by
from tvm_pipeline.codegen.static import export_static
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.importer.clipped_biases import warn_of_clipped_biases
from tvm_pipeline.importer.fault import fault_named
from tvm_pipeline.importer.import_onnx import convert, read_onnx, tensor_names
from tvm_pipeline.passes.integers.account import warn_of_float_layers, with_reasons
from tvm_pipeline.passes.pipeline import lower
from tvm_pipeline.passes.schedule_kernels import schedule_kernels
from tvm_pipeline.passes.time_shares import warn_of_fallbacks, with_estimates


def compile_model(
    onnx_path: Path,
    target: AnyTarget,
    logs: TuningLogs,
    threads: int,
    output: Path,
    shapes: Mapping[str, Sequence[int]] | None = None,
    emit: Emit | None = None,
    options: CompileOptions = CompileOptions(),  # noqa: B008  # it is frozen
) -> Built:
    """Writes ``output/module.so``, for a static program its parts (:mod:`tvm_pipeline.codegen.static`), and returns
    what the manifest needs (tensors, kernels, device code, versions)."""
    report = emit.progress if emit is not None else lambda stage: None
    warn = emit.warning if emit is not None else lambda message: None
    dump = Dump(options.dump)
    report("importing")
    model = read_onnx(onnx_path, shapes)
    warn_of_clipped_biases(model, warn)
    with fault_named(model, convert):
        module = convert(model)
    inputs, outputs = signature(module, *tensor_names(onnx_path))
    dump.module(IMPORTED, module)
    report("lowering")
    with fault_named(model, partial(_generate, target=target)), target.tvm:
        module = lower(module, target.unit)
        dump.module(LOWERED, module)
        report("scheduling")
        module, kernels = schedule_kernels(module, logs, target.unit, threads, warn)
        kernels = [*with_reasons(module, with_estimates(module, kernels, target.unit))]
        warn_of_float_layers(kernels, warn)
        warn_of_fallbacks(kernels, warn)
        dump.module(SCHEDULED, module)
        report("generating code")
        generated = build(module, target, static=options.static)
        dump.code(generated)
    report("linking")
    path = _link(generated, output, target, static=options.static)
    device_code = None
    if generated.fatbin is not None:
        report("modelling")
        device_code = _describe_device_code(generated.fatbin, path, module, target)
    return Built(
        module=path, inputs=inputs, outputs=outputs, kernels=tuple(kernels), device_code=device_code, **versions()
    )


def _generate(model: ModelProto, target: AnyTarget) -> Generated:
    """The code of a part of a network, without logs: for the search of the node that a failure is due to."""
    with target.tvm:
        module = lower(convert(model), target.unit)
        module, _ = schedule_kernels(module, TuningLogs([]), target.unit, 1, lambda message: None)
        return build(module, target)


def _describe_device_code(fatbin: Fatbin, path: Path, module: tvm.IRModule, target: AnyTarget) -> DeviceCode:
    """Writes the source beside the linked module; what the manifest says of it, with the model's figures."""
    described = write_device_code(fatbin, path, target.driver)
    kernels = add_arguments(add_figures(described["kernels"], module, target), fatbin.source, module)
    return DeviceCode.from_json({**described, "kernels": kernels, "model": describe_model(target)})


def _link(generated: Generated, output: Path, target: AnyTarget, *, static: bool) -> Path:
    if static:
        export_static(generated.executable, output, target.zig_target)
        return output / "module.bin"
    path = output / "module.so"
    generated.executable.export_library(str(path), fcompile=_linker(target))
    return path


def _linker(target: AnyTarget) -> Any:
    def link(output: str, objects: Sequence[str], options: Any = None, **_: Any) -> None:
        if target.compiler is not None:
            link_shared_by(target.compiler, output, objects)
        else:
            link_shared(output, objects, target.zig_target)

    return link


def _tensor(name: str, kind: Any) -> Tensor:
    return Tensor(name=name, shape=tuple(int(extent) for extent in kind.shape), dtype=str(kind.dtype))


def signature(
    module: tvm.IRModule, inputs: Sequence[str], outputs: Sequence[str]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Inputs and outputs of ``main`` by the file's names, which the importer changes or drops."""
    function = module["main"]
    kinds = [parameter.ty for parameter in function.params]
    results = getattr(function.ret_ty, "fields", None) or [function.ret_ty]
    return _tensors(inputs, kinds), _tensors(outputs, results)


def _tensors(names: Sequence[str], kinds: Sequence[Any]) -> tuple[Tensor, ...]:
    return tuple(_tensor(name, kind) for name, kind in zip(names, kinds, strict=True))


def versions() -> dict[str, str]:
    """Of TVM, its FFI and the LLVM inside it."""
    return {
        "tvm_version": tvm.__version__,
        "tvm_ffi_version": importlib.metadata.version("apache-tvm-ffi"),
        "llvm_version": str(tvm.target.codegen.llvm_version_major()),
    }
