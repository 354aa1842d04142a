"""What becomes of a board whose kernel crashes: the kernel's fault, and the board goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_tvm.base.compilers.zig import run_zig
from mobilenet_tvm.places.board import device_named
from tvm_pipeline.backends.boards.kernel_worker import KernelWorker
from tvm_pipeline.backends.workers.process import WorkerProcess
from tvm_pipeline.backends.workers.run import BuiltKernel, RunRequest

SHAPES, DTYPES = ((1, 4), (1, 4)), ("float32", "float32")
SECONDS = 120.0


@pytest.fixture
def kernels(tmp_path: Path) -> tuple[Path, Path]:
    """One that does nothing, and one that writes to address 0."""
    built = []
    for name, body in (("good", ""), ("bad", "*(volatile int *)0 = 1;")):
        source, library = tmp_path / f"{name}.c", tmp_path / f"{name}.so"
        source.write_text(
            f"int __tvm_ffi_main(void *self, void *args, int count, void *result) {{ {body} return 0; }}\n"
        )
        flags = ["-target", "x86_64-linux-gnu.2.28", "-shared", "-fPIC", "-nostdlib", "-fno-sanitize=all"]
        run_zig("cc", *flags, source, "-o", library)
        built.append(library)
    return built[0], built[1]


def test_a_kernel_that_crashes_ends_its_session_alone(native_board: str, kernels: tuple[Path, Path]) -> None:
    good, bad = (BuiltKernel(str(kernel), SHAPES, DTYPES) for kernel in kernels)
    worker = WorkerProcess(KernelWorker(device_named(native_board, lambda event: None), threads=1))
    try:
        connected = worker.ask(KernelWorker.connect, 10.0, SECONDS)
        assert connected.error is None
        assert not connected.board.emulated
        crashed = worker.ask(KernelWorker.measure, RunRequest(bad, good), SECONDS)
        assert (crashed.seconds, crashed.lost) == ((), False)
        assert crashed.error == "the kernel ended the board's session: did it crash?"
        after = worker.ask(KernelWorker.measure, RunRequest(good, good), SECONDS)
        assert after.error is None
        assert min(after.seconds) >= 0
    finally:
        worker.stop()
