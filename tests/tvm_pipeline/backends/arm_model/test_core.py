"""The cores of the boards' presets."""

from __future__ import annotations

import pytest

import targets
from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.backends.arm_model.core import core_of


@pytest.mark.parametrize("name", ["rpi3", "rpi4", "rpi5"])
def test_every_board_has_a_core(name: str) -> None:
    core = core_of(targets.load(name).tvm["mcpu"])
    assert core.name == targets.load(name).emulator
    sizes = [cache.kibibytes for cache in core.caches]
    assert sizes == sorted(sizes)


def test_a_core_that_no_board_has_is_a_users_mistake() -> None:
    with pytest.raises(UserError, match="no static model of 'x86-64-v4'"):
        core_of("x86-64-v4")
