"""The compiler that every installation has, and what is left of what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_tvm.base.compilers.zig import first_error, run_zig
from mobilenet_tvm.base.errors import SystemFailure


def test_its_first_error_is_the_failure(tmp_path: Path) -> None:
    source = tmp_path / "wrong.c"
    source.write_text("int one;\nint main(void) { return two; }\n")
    with pytest.raises(
        SystemFailure, match=r"^compiling failed: wrong\.c, line 2: use of undeclared identifier 'two'$"
    ):
        run_zig("cc", "-c", source, "-o", tmp_path / "wrong.o", purpose="compiling")
    with pytest.raises(SystemFailure, match=r"^zig failed: cannot open .*none\.o"):
        run_zig("ld.lld", "-shared", tmp_path / "none.o", "-o", tmp_path / "none.so")


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ("In file included from a.cc:1:\n/x/b.h:7:3: fatal error: no such thing\n", "b.h, line 7: no such thing"),
        ("a.cc:1:2: error: static assertion failed due to requirement 'false': why\n", "a.cc, line 1: why"),
        ("warning: odd\nld.lld: error: undefined symbol: f\n>>> by a.o\n", "undefined symbol: f"),
        ("Killed\n", "Killed"),
        ("", "no output"),
    ],
)
def test_the_first_error(output: str, error: str) -> None:
    assert first_error(output) == error
