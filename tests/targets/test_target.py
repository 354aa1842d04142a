from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import targets
from mobilenet_tvm.base import host_cpu
from mobilenet_tvm.base.errors import UserError
from targets import read_target, target
from targets.target import Target

MINE = """
title = "my box"
arch = "x86_64"
vector_bits = 256
[tvm]
kind = "llvm"
mcpu = "x86-64-v3"
"""


def test_the_presets() -> None:
    assert set(targets.available()) >= {
        "x86-64-v3",
        "x86-64-v4",
        "x86-64-v4-vnni",
        "x86-64-v4-bf16",
        "rpi3",
        "rpi4",
        "rpi5",
    }


@pytest.mark.parametrize("preset", targets.available().values(), ids=lambda preset: preset.name)
def test_a_preset_is_consistent(preset: Target) -> None:
    assert preset.title
    assert "num-cores" not in preset.tvm
    assert preset.logs[0] == preset.name
    assert set(preset.logs) <= set(targets.available())
    assert preset.toolchain is not None
    assert (Path(targets.__file__).parent / "toolchains" / f"{preset.toolchain}.cmake").is_file()


def test_a_richer_preset_needs_all_that_a_poorer_one_does() -> None:
    chain = ["x86-64-v3", "x86-64-v4", "x86-64-v4-vnni", "x86-64-v4-bf16"]
    for poor, rich in pairwise(chain):
        assert set(targets.load(poor).cpu_features) < set(targets.load(rich).cpu_features)


def test_richer_presets_use_the_logs_of_poorer_ones() -> None:
    assert targets.load("x86-64-v4-vnni").logs == ("x86-64-v4-vnni", "x86-64-v4")
    assert targets.load("x86-64-v4-bf16").logs == ("x86-64-v4-bf16", "x86-64-v4-vnni", "x86-64-v4")


def test_no_name_stands_for_two_targets() -> None:
    names = [name for preset in targets.available().values() for name in (preset.name, *preset.aliases)]
    assert len(names) == len(set(names))


def test_an_alias() -> None:
    assert targets.load("haswell").name == "x86-64-v3"


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        (targets.load("x86-64-v3").cpu_features, "x86-64-v3"),
        (targets.load("x86-64-v4").cpu_features, "x86-64-v4"),
        ((*targets.load("x86-64-v4-bf16").cpu_features, "more"), "x86-64-v4-bf16"),
    ],
)
def test_native_is_the_richest_that_runs(monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], name: str) -> None:
    monkeypatch.setattr(host_cpu, "host_features", lambda: frozenset(flags))
    monkeypatch.setattr(host_cpu, "host_arch", lambda: "x86_64")
    assert targets.load("native").name == name


@pytest.mark.parametrize(
    ("preset", "features"),
    [
        ("rpi4", "fp asimd evtstrm crc32 cpuid"),
        ("rpi5", "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"),
    ],
)
def test_native_on_a_raspberry_pi(monkeypatch: pytest.MonkeyPatch, preset: str, features: str) -> None:
    monkeypatch.setattr(host_cpu, "host_features", lambda: frozenset(features.split()))
    monkeypatch.setattr(host_cpu, "host_arch", lambda: "aarch64")
    assert targets.load("native").name == preset


def test_the_boards() -> None:
    for name, cpu, alias in (
        ("rpi3", "cortex-a53", "raspberry-pi-3"),
        ("rpi4", "cortex-a72", "pi4"),
        ("rpi5", "cortex-a76", "pi5"),
    ):
        board = targets.load(alias)
        assert board.name == name
        assert (board.arch, board.vector_bits) == ("aarch64", 128)
        assert board.emulator == board.tvm["mcpu"] == cpu
    assert set(targets.load("rpi4").cpu_features) < set(targets.load("rpi5").cpu_features)
    assert {"asimddp", "asimdhp"} <= set(targets.load("rpi5").cpu_features)


def test_no_preset_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_cpu, "host_features", lambda: frozenset({"sse4_2"}))
    monkeypatch.setattr(target, "host_features", lambda: frozenset({"sse4_2"}))
    with pytest.raises(UserError, match="for x86-64-v3 this CPU lacks popcnt, avx"):
        targets.native()


def test_a_foreign_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    pi = replace(targets.load("x86-64-v3"), arch="riscv64")
    assert pi.missing_here() == ["riscv64"]


def test_a_file_of_the_users(tmp_path: Path) -> None:
    path = tmp_path / "my-box.toml"
    path.write_text(MINE)
    mine = targets.load(str(path))
    assert (mine.name, mine.threads, mine.logs) == ("my-box", 1, ("my-box",))
    assert mine.to_json()["cpu_features"] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINE.replace("arch", "archi"), "unknown key in target file .*: 'archi': did you mean 'arch'"),
        (MINE.replace('"x86_64"', "86"), r"mine\.toml: arch: Expected `str`, got `int`"),
        (MINE.replace("vector_bits = 256\n", ""), "lacks `vector_bits`"),
        (MINE.replace("kind", "type"), r"\[tvm\] lacks kind"),
        ("[tvm", "is not TOML"),
        ("inherits = 4", "inherits must be the name of a preset"),
        ('inherits = "rpi44"', r"mine\.toml: inherits = 'rpi44': did you mean 'rpi4'"),
        ('inherits = "a100"', "unknown preset in target file"),
        ('inherits = "cuda-sm_80"\n[gpu]\nclock = 1', r"unknown key in \[gpu\] of .*'clock': did you mean 'clock_mhz'"),
        ('inherits = "cuda-sm_80"\n[gpu]\nclock_mhz = "1"', r"gpu\.clock_mhz: Expected `float`, got `str`"),
        (MINE + "[gpu]\nclock_mhz = 1", r"gpu: lacks `compute_capability`"),
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        targets.load(str(path))


def test_a_file_inherits_from_a_preset(tmp_path: Path) -> None:
    path = tmp_path / "my-orin.toml"
    path.write_text(
        'inherits = "cuda-sm_87"\ntitle = "mine"\n[tvm.host]\nmcpu = "cortex-a78"\n[gpu]\nclock_mhz = 918\n'
    )
    orin, mine = targets.load("orin"), targets.load(str(path))
    assert (mine.name, mine.title, mine.logs) == ("my-orin", "mine", ("my-orin", "cuda-sm_87"))
    assert (mine.aliases, mine.remarks) == ((), "")
    assert mine.tvm == {**orin.tvm, "host": {**orin.tvm["host"], "mcpu": "cortex-a78"}}
    assert orin.gpu is not None and mine.gpu == replace(orin.gpu, clock_mhz=918.0)
    assert (mine.arch, mine.cpu_features, mine.driver) == (orin.arch, orin.cpu_features, orin.driver)


def test_presets_in_a_circle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_target, "PRESETS", tmp_path)
    for name, parent in (("one", "two"), ("two", "three"), ("three", "one")):
        (tmp_path / f"{name}.toml").write_text(f'inherits = "{parent}"\n')
    with pytest.raises(UserError, match=r"one\.toml inherits from itself"):
        targets.load(str(tmp_path / "one.toml"))


def test_what_presets_share_is_no_target() -> None:
    assert "cuda" not in targets.available()
    with pytest.raises(UserError, match="unknown target 'jetson'"):
        targets.load("jetson")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.toml cannot be read"):
        targets.load(str(tmp_path / "gone.toml"))


def test_an_unknown_name() -> None:
    with pytest.raises(UserError, match="did you mean 'x86-64-v4-vnni'"):
        targets.load("x86-64-v4-vni")


def test_native_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    features = targets.load("cuda-sm_80").cpu_features
    monkeypatch.setattr(host_cpu, "host_features", lambda: frozenset(features))
    monkeypatch.setattr(host_cpu, "host_arch", lambda: "x86_64")
    monkeypatch.setattr(target, "has_gpu", lambda: True)
    assert not targets.load("a100").missing_here()
    assert targets.load("native").gpu is None


def test_a_gpu_needs_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    features = targets.load("cuda-sm_80").cpu_features
    monkeypatch.setattr(host_cpu, "host_features", lambda: frozenset(features))
    monkeypatch.setattr(host_cpu, "host_arch", lambda: "x86_64")
    monkeypatch.setattr(target, "has_gpu", lambda: False)
    assert targets.load("a100").missing_here() == ["NVIDIA-driver"]


@pytest.mark.parametrize("preset", [one for one in targets.available().values() if one.gpu], ids=lambda one: one.name)
def test_a_gpus_preset_is_consistent(preset: Target) -> None:
    gpu = preset.gpu
    assert gpu is not None
    assert preset.driver
    assert preset.tvm["arch"] == f"sm_{gpu['compute_capability']}"
    assert preset.tvm["host"]["mtriple"].startswith(preset.arch)
    assert preset.tvm["l2_cache_size_bytes"] == gpu["l2_bytes"]
    assert gpu["shared_bytes_per_block"] <= gpu["shared_bytes_per_multiprocessor"]


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("t4", "cuda-sm_75"),
        ("a100", "cuda-sm_80"),
        ("rtx3090", "cuda-sm_86"),
        ("a10", "cuda-sm_86"),
        ("jetson-orin", "cuda-sm_87"),
        ("rtx4090", "cuda-sm_89"),
        ("l4", "cuda-sm_89"),
        ("h100", "cuda-sm_90"),
        ("gh200", "cuda-sm_90-aarch64"),
        ("b200", "cuda-sm_100"),
        ("jetson-thor", "cuda-sm_110"),
        ("rtx5090", "cuda-sm_120"),
    ],
)
def test_the_gpus(alias: str, name: str) -> None:
    assert targets.load(alias).name == name


def test_a_board_whose_driver_is_too_old_says_so() -> None:
    assert "JetPack 7.2" in (targets.load("jetpack6").unsupported or "")
    assert [one.name for one in targets.available().values() if one.unsupported] == ["cuda-sm_87-jetpack6"]


def test_an_emulator_is_of_the_cpu_features(tmp_path: Path) -> None:
    (tmp_path / "same.toml").write_text('inherits = "rpi4"\ntitle = "mine"\n')
    (tmp_path / "more.toml").write_text('inherits = "rpi4"\ntitle = "mine"\ncpu_features = ["asimd", "asimddp"]\n')
    assert targets.load(str(tmp_path / "same.toml")).emulator == "cortex-a72"
    assert targets.load(str(tmp_path / "more.toml")).emulator is None
