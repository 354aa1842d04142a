"""The process that turns scheduled kernels into shared objects."""

import signal
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from mobilenet_tvm.base.protocol import die_with_parent


@dataclass(frozen=True)
class BuildRequest:
    """A scheduled module as TVM's JSON, the target as JSON, and where to write the shared object.

    :ivar driver: an object file with ``main``: with it a program is linked instead, for the static model.
    :ivar compute_capability: of the GPU that the target is, ten times: 80 is 8.0; None for a CPU.
    :ivar for_emulated_gpu: what an emulated GPU runs takes the place of the GPU's device code.
    """

    module: str
    target: str
    output: str
    zig_target: str
    driver: str | None = None
    compute_capability: int | None = None
    for_emulated_gpu: bool = False


@dataclass(frozen=True)
class BuildAnswer:
    """``error`` is None when what was asked for is there."""

    error: str | None


def _device_code(request: BuildRequest) -> AbstractContextManager[object]:
    """Within, TVM's CUDA source becomes device code, or what an emulated GPU runs; a CPU needs neither."""
    if request.compute_capability is None:
        return nullcontext()
    from tvm_pipeline.codegen.cuda.compiler import device_compiler, emulated_compiler

    if request.for_emulated_gpu:
        return emulated_compiler(request.compute_capability)
    return device_compiler(f"sm_{request.compute_capability}")


def build(request: BuildRequest) -> BuildAnswer:
    """Builds and links one kernel; whatever goes wrong is an answer, not an exception."""
    import tvm

    from tvm_pipeline.backends.arm_model.program import link_program
    from tvm_pipeline.codegen.link import link_shared
    from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE

    def link(output: str, objects: list[str], options: object = None, **_: object) -> None:
        if request.driver is None:
            link_shared(output, objects, request.zig_target)
        else:
            link_program(output, objects, request.driver)

    try:
        module = tvm.ir.load_json(request.module)
        target = tvm.target.Target(request.target)
        with _device_code(request):
            executable = tvm.compile(module, target=target, tir_pipeline=CODEGEN_PIPELINE)
        executable.export_library(request.output, fcompile=link)
    except Exception as error:
        lines = str(error).strip().splitlines()
        return BuildAnswer(f"{type(error).__name__}: {lines[-1] if lines else ''}")
    return BuildAnswer(None)


if __name__ == "__main__":
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import tvm  # noqa: F401  # warm: the first request must not pay for it

    from tvm_pipeline.backends.workers import build as build_worker
    from tvm_pipeline.backends.workers.process import serve_requests

    serve_requests(build_worker.build)
