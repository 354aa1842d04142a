"""Files that are no shared libraries; test_load_runtime and test_build read from real ones."""

from pathlib import Path

import pytest

from mobilenet_tvm.base.errors import SystemFailure
from tvm_pipeline.codegen.cuda.elf import undefined_symbols


def test_a_file_that_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no library")
    with pytest.raises(SystemFailure, match="no 64-bit ELF file"):
        undefined_symbols(tmp_path / "text")
