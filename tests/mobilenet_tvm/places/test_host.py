from __future__ import annotations

from pathlib import Path

import pytest
from emulated_places import silent
from smallest_package import fill

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.package.store import new_package
from mobilenet_tvm.places.place import place_of


def test_a_package_for_another_cpu(tmp_path: Path) -> None:
    with new_package(tmp_path / "package") as folder:
        fill(folder, ["sse4_2", "amx_fancy"])
    with open_package(tmp_path / "package") as opened, pytest.raises(UserError, match="this CPU lacks amx_fancy"):
        place_of(opened, emulate=False, device=None, on_event=silent)


def test_a_damaged_library_is_named_before_the_system_loads_it(tiny_package: Path) -> None:
    with (tiny_package / "lib" / "libtvm_ffi.so").open("ab") as stream:
        stream.write(b"x")
    with open_package(tiny_package) as opened, pytest.raises(UserError, match=r"lib/libtvm_ffi\.so is not what was"):
        place_of(opened, emulate=False, device=None, on_event=silent)


def test_the_program_starts_once_and_nothing_is_hashed_twice_here(
    tiny_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess
    from typing import Any

    from PIL import Image

    from mobilenet_tvm.package import open as opening
    from mobilenet_tvm.verbs.run import run

    started: list[Any] = []
    hashed: list[str] = []
    start, digest = subprocess.run, opening.sha256_file
    monkeypatch.setattr(
        subprocess, "run", lambda *words, **options: (started.append(words), start(*words, **options))[1]
    )
    monkeypatch.setattr(opening, "sha256_file", lambda path: (hashed.append(path.name), digest(path))[1])
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    run(tiny_package, [tmp_path / "a.png"])
    assert len(started) == 1
    assert sorted(hashed) == ["libtvm_ffi.so", "libtvm_runtime.so", "mobilenet-run"]
