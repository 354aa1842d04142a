"""Puts nvcc behind the callback by which TVM has CUDA source compiled, and keeps what comes of it."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import tvm_ffi

from mobilenet_tvm.base.child import child_command
from mobilenet_tvm.base.compilers.nvcc import find_nvcc
from mobilenet_tvm.base.errors import SystemFailure, UserError
from tvm_pipeline.codegen.cuda.fatbin import Fatbin, compile_fatbin
from tvm_pipeline.codegen.cuda.load_runtime import load_cuda_runtime

_CALLBACK = "tvm_callback_cuda_compile"


@contextmanager
def device_compiler(arch: str) -> Iterator[list[Fatbin]]:
    """Modules built in the block get fatbins for ``arch``; what was compiled is in the list, in order.

    :raises UserError: there is no nvcc, or it does not know the architecture.
    :raises SystemFailure: nvcc refuses the source, or TVM's CUDA runtime is missing.
    """
    find_nvcc()
    load_cuda_runtime()
    compiled: list[Fatbin] = []
    failures: list[UserError | SystemFailure] = []

    def compile_source(source: str) -> bytes:
        try:
            compiled.append(compile_fatbin(str(source), arch))
        except (UserError, SystemFailure) as failure:
            failures.append(failure)
            raise
        return compiled[-1].code

    with _callback(compile_source):
        try:
            yield compiled
        except Exception as error:
            if failures:
                raise failures[0] from error  # TVM wraps it on the way
            raise


@contextmanager
def emulated_compiler(compute_capability: int) -> Iterator[None]:
    """Modules built in the block get what the emulated GPU runs instead of device code.

    :param compute_capability: ten times that of the GPU: 80 is 8.0.
    """
    load_cuda_runtime()
    with _callback(lambda source: _emulated(source, compute_capability)):
        yield


def device_code(compute_capability: int | None, *, is_emulated: bool) -> Callable[[], AbstractContextManager[object]]:
    """What opens the block in which a unit's modules are built; it can be pickled. None: a unit without device code."""
    if compute_capability is None:
        return nullcontext
    if is_emulated:
        return partial(emulated_compiler, compute_capability)
    return partial(device_compiler, f"sm_{compute_capability}")


def _emulated(source: str, compute_capability: int) -> bytes:
    command = [*child_command("emulated_gpu"), str(compute_capability)]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise SystemFailure(said.rpartition("\n")[2] or "the emulated GPU's compiler died", said)
    return done.stdout


@contextmanager
def _callback(function: Callable[[str], bytes]) -> Iterator[None]:
    """Within, TVM has CUDA source compiled by ``function``."""
    before = tvm_ffi.get_global_func(_CALLBACK, allow_missing=True)
    tvm_ffi.register_global_func(_CALLBACK, function, override=True)
    try:
        yield
    finally:
        if before is not None:
            tvm_ffi.register_global_func(_CALLBACK, before, override=True)
