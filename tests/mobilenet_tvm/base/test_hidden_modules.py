"""Hidden modules are as good as not installed, for those who import and for those who look around."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator

import pytest

from mobilenet_tvm.base.hidden_modules import hide


@pytest.fixture(autouse=True)
def _finders() -> Iterator[None]:
    before = list(sys.meta_path)
    yield
    sys.meta_path[:] = before


def test_a_hidden_module_cannot_be_imported_nor_found() -> None:
    hide(("wave", "ensurepip"))
    sys.modules.pop("wave", None)
    with pytest.raises(ModuleNotFoundError, match="wave"):
        import wave  # noqa: F401
    assert importlib.util.find_spec("wave") is None
    assert "wave" not in sys.modules, "who looks there takes what he sees for a module"
    assert importlib.util.find_spec("ensurepip") is None


def test_all_others_are_found_as_before() -> None:
    hide(("wave",))
    assert importlib.util.find_spec("waves") is None
    assert importlib.util.find_spec("chunk_of_nothing") is None
    assert importlib.util.find_spec("colorsys") is not None
    assert importlib.metadata.version("numpy")
    importlib.invalidate_caches()
