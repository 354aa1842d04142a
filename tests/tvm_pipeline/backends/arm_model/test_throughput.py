"""Cycles of blocks whose cycles are known."""

from __future__ import annotations

import pytest
from emulation import needs_model, words_of

from tvm_pipeline.backends.arm_model.core import CORES, Core
from tvm_pipeline.backends.arm_model.throughput import Throughput

INDEPENDENT = tuple(f"fmla v{register}.4s, v30.4s, v31.s[0]" for register in range(24))


def _cycles(core: Core, lines: tuple[str, ...]) -> float:
    words = words_of(lines)
    return Throughput(core).cycles([words])[words]


@needs_model
@pytest.mark.parametrize(("core", "per_cycle"), [("cortex-a53", 1), ("cortex-a72", 1), ("cortex-a76", 2)])
def test_independent_multiply_adds_run_at_the_cores_peak(core: str, per_cycle: int) -> None:
    assert _cycles(CORES[core], INDEPENDENT) == pytest.approx(24 / per_cycle, rel=0.05)


@needs_model
@pytest.mark.parametrize("core", list(CORES))
def test_a_chain_waits_for_its_latency(core: str) -> None:
    assert _cycles(CORES[core], ("fmla v0.4s, v1.4s, v2.4s",)) >= 2


@needs_model
def test_an_in_order_core_waits_for_what_it_has_just_loaded(a53: Core, a72: Core) -> None:
    at_once = tuple(line for n in range(8) for line in (f"ldr s31, [x0, #{4 * n}]", f"fmla v{n}.4s, v30.4s, v31.s[0]"))
    loads = tuple(f"ldr s{16 + n}, [x0, #{4 * n}]" for n in range(8))
    later = loads + tuple(f"fmla v{n}.4s, v30.4s, v{16 + n}.s[0]" for n in range(8))
    assert _cycles(a53, at_once) > 1.5 * _cycles(a53, later)
    assert _cycles(a72, at_once) == pytest.approx(_cycles(a72, later), rel=0.2)


@needs_model
def test_an_in_order_core_pairs_narrow_loads_alone(a53: Core) -> None:
    narrow = tuple(line for n in range(12) for line in (f"ldr d{12 + n}, [x0, #{8 * n}]", INDEPENDENT[n]))
    wide = tuple(line for n in range(12) for line in (f"ldr q{12 + n}, [x0, #{16 * n}]", INDEPENDENT[n]))
    assert _cycles(a53, narrow) == pytest.approx(12, abs=1)
    assert _cycles(a53, wide) == pytest.approx(24, abs=1)


@needs_model
def test_blocks_asked_together_get_their_own_answers(a72: Core) -> None:
    short, long = words_of(INDEPENDENT[:12]), words_of(INDEPENDENT)
    throughput = Throughput(a72)
    together = throughput.cycles([short, long, short])
    assert together == {short: pytest.approx(12, abs=0.5), long: pytest.approx(24, abs=0.5)}
    assert throughput.cycles([long]) == {long: together[long]}
