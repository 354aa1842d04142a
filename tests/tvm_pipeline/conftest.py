"""What the pipeline's tests share. They run as a pytest process of their own: TVM is slow to import beside torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings

from tvm_pipeline import skip_tensor_intrinsics

skip_tensor_intrinsics()

from compiled_network import Compiled, compile_here  # noqa: E402
from onnx_network import Network  # noqa: E402

import targets  # noqa: E402
from mobilenet_tvm.base.logs.tuning_log import TuningLogs  # noqa: E402
from targets import Target  # noqa: E402
from tvm_pipeline.hardware.target import CpuTarget  # noqa: E402

settings.register_profile("quick", deadline=None, max_examples=25, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("quick")  # --hypothesis-profile=thorough searches on

WIDE, NARROW, BOARD = "x86-64-v4", "x86-64-v3", "rpi4"
_needs_avx512 = pytest.mark.skipif(bool(targets.load(WIDE).missing_here()), reason="this CPU has no AVX-512")


@pytest.fixture(params=[pytest.param(WIDE, marks=_needs_avx512), NARROW, BOARD], scope="session")
def each_target(request: pytest.FixtureRequest) -> CpuTarget:
    """All vector units: 16 lanes and 32 registers, 8 and 16, 4 and 32. This CPU runs what is scheduled for the last: a
    schedule's loops are the unit's, and LLVM cuts their vectors for any CPU."""
    found = CpuTarget.from_json(targets.load(request.param))
    if request.param == BOARD:
        return replace(found, tvm=CpuTarget.from_json(targets.load(NARROW)).tvm)
    return found


@pytest.fixture(scope="session")
def board() -> CpuTarget:
    """A target whose code can only be built here."""
    return CpuTarget.from_json(targets.load(BOARD))


@pytest.fixture(scope="session")
def target() -> CpuTarget:
    """One target that every CPU here runs."""
    return CpuTarget.from_json(targets.load(NARROW))


@pytest.fixture(scope="session")
def preset() -> Target:
    """The same, as a job names it."""
    return targets.load(NARROW)


@pytest.fixture
def compile_network(target: CpuTarget, tmp_path: Path) -> Callable[..., Compiled]:
    """Compiles a network in this process: ``compile_network(network)``."""

    def build(
        network: Network, logs: TuningLogs | None = None, shapes: Mapping[str, list[int]] | None = None
    ) -> Compiled:
        path = network.save(tmp_path / "network.onnx")
        return compile_here(path, target, logs or TuningLogs([]), tmp_path, shapes)

    return build
