"""The file that tells the emulated driver what it is: this writes it, ``runtime/machine/`` reads it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from mobilenet_tvm.base.paths import cache_dir, replacing

FILE_VARIABLE = "MOBILENET_TVM_EMULATED_GPU_FILE"
"""Names the file; without it the device is an A100 that knows kernels by their images alone."""


def device_file(
    device: Mapping[str, int | str], modules: Mapping[str, Path], arguments: Sequence[tuple[str, str, int]] = ()
) -> Path:
    """The file, kept in the cache as long as the kernels that it names.

    :param device: keys of a preset's ``[gpu]``, and ``name``.
    :param modules: the kernels' shared object by the device code's SHA-256.
    :param arguments: kernel, argument and its bytes; of an argument that is not named all of its allocation counts.
    """
    lines = [
        *(f"{key} {value}" for key, value in device.items()),
        *(f"module {digest} {kernels}" for digest, kernels in modules.items()),
        *(f"argument {kernel} {name} {size}" for kernel, name, size in arguments),
    ]
    text = "\n".join(lines) + "\n"
    path = cache_dir() / "emulated_gpu" / f"device-{hashlib.sha256(text.encode()).hexdigest()[:32]}.txt"
    if not path.is_file():
        with replacing(path) as temporary:
            temporary.write_text(text)
    return path
