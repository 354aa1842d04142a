"""The images that calibrate: a folder's, as the network's inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.preprocessing import Preprocessing

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = (".png", ".jpg", ".jpeg", ".ppm", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".npy")
"""Of the files that are taken for images; ``.npy`` holds the network's input as it is."""

RANDOM_IMAGES = 32
_SEED = 2  # 0 and 1 are those of a package's reference and of verify's fresh inputs


def image_files(folder: Path) -> list[Path]:
    """The images of a folder and of the folders in it, by their paths' order.

    :raises UserError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder of images")
    files = sorted(
        path.absolute()
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    if not files:
        raise UserError(f"{folder} holds no images: {', '.join(SUFFIXES)} are looked for, in its folders too")
    return files


def tensor_of(file: Path, tensor: OnnxInput, preprocessing: Preprocessing | None) -> np.ndarray:
    """An image as the network's input, of one image even where the network takes more: ``[1, ...]``.

    :raises UserError: it does not decode, or is not of the input's shape.
    """
    import numpy as np

    from mobilenet_tvm.model.preprocessing import preprocess

    if file.suffix.lower() != ".npy":
        if preprocessing is None:
            raise UserError(f"{file}: nothing says how an image becomes {tensor.name!r}: give .npy files of its shape")
        return preprocess(file, preprocessing)
    try:
        array = np.load(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: does not decode: {error}") from error
    if array.shape[1:] != tensor.shape[1:] or array.dtype != np.float32 or not np.isfinite(array).all():
        shape = "x".join(map(str, (1, *tensor.shape[1:])))
        raise UserError(f"{file}: {array.dtype} {list(array.shape)} does not calibrate: finite float32 {shape} does")
    return np.asarray(array[:1])


def batches(files: Sequence[Path], tensor: OnnxInput, preprocessing: Preprocessing | None, out: Path) -> np.ndarray:
    """All images as whole inputs of the network, in a file that need not fit into memory.

    The last batch is filled up from the first images.

    :returns: ``[batches, *tensor.shape]`` of float32.
    :raises UserError: see ``tensor_of``.
    """
    import numpy as np

    size = tensor.shape[0]
    count = -(-len(files) // size)
    stored = np.lib.format.open_memmap(out, "w+", np.float32, (count * size, *tensor.shape[1:]))
    for index in range(count * size):
        if index < len(files):
            stored[index] = tensor_of(files[index], tensor, preprocessing)[0]
        else:
            stored[index] = stored[index % len(files)]
    return stored.reshape(count, *tensor.shape)


def random_batches(tensor: OnnxInput) -> np.ndarray:
    """Seeded inputs of standard normal numbers, in the place of images: ``[batches, *tensor.shape]``."""
    import numpy as np

    from mobilenet_tvm.package.seeded_inputs import seeded_inputs

    count = -(-RANDOM_IMAGES // tensor.shape[0])
    return np.stack([arrays[0] for arrays in seeded_inputs([tensor], _SEED, count)])


@dataclass(frozen=True)
class Feeds:
    """What a session of ONNX Runtime is fed, batch by batch, as often as asked.

    :ivar name: the input's.
    :ivar arrays: ``[batches, *shape of the input]``.
    """

    name: str
    arrays: np.ndarray

    def __len__(self) -> int:
        return len(self.arrays)

    def spread(self, most: int) -> Feeds:
        """At most so many of them, evenly spread: images in folders come class by class."""
        return Feeds(self.name, self.arrays[:: -(-len(self) // most)])

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        import numpy as np

        return ({self.name: np.ascontiguousarray(array)} for array in self.arrays)
