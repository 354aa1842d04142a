"""How a photograph becomes a network's input: resize, centre crop, normalise.

``mobilenet-run`` (runner/io/preprocess.cc) computes the same bits from the same manifest;
tests/runner/test_preprocess.py holds the two together, so a change here is a change there.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.preprocessing import Preprocessing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

# runner/io/preprocess.cc has the same limit: an image of 1 x 100,000 pixels would become 256 x 25,600,000.
_MAX_LONG_SIDE = 65535


def preprocess(image: Image.Image | str | Path, plan: Preprocessing) -> NDArray[np.float32]:
    """An image, or the file of one, as float32 ``[1, 3, crop, crop]``, RGB planes.

    :raises UserError: the file does not decode, or the image is too narrow to resize.
    """
    import numpy as np
    from PIL import Image

    name = "the image" if isinstance(image, Image.Image) else str(image)
    picture = _to_rgb(image if isinstance(image, Image.Image) else _open(Path(image)))
    width, height = _resized(picture.size, plan.resize, name)
    left, top = (round((side - plan.crop) / 2) for side in (width, height))
    # Along rows, then along columns, each rounded to 8 bits. One resize to both sides is this in Pillow 12; Pillow 13
    # takes the columns first for some sizes, and the last bit differs. One pass per call leaves it no choice.
    resized = picture.resize((width, picture.height), Image.Resampling.BILINEAR)
    resized = resized.resize((width, height), Image.Resampling.BILINEAR)
    cropped = resized.crop((left, top, left + plan.crop, top + plan.crop))
    # float32 all the way, one operation after the other as in C++: each rounds once.
    planes = np.asarray(cropped).transpose(2, 0, 1).astype(np.float32)
    mean, std = (np.asarray(values, np.float32).reshape(3, 1, 1) for values in (plan.mean, plan.std))
    normalised: NDArray[np.float32] = (planes * np.float32(plan.scale) - mean) / std
    return np.ascontiguousarray(normalised[None])


def _resized(size: tuple[int, int], shorter: int, name: str) -> tuple[int, int]:
    """torchvision's Resize(shorter): the shorter side becomes that, the longer int(shorter * long / short)."""
    width, height = size
    longer = int(shorter * max(size) / min(size))
    if longer > _MAX_LONG_SIDE:
        raise UserError(f"{name}: an image of {width}x{height} is too narrow to resize")
    return (shorter, longer) if width <= height else (longer, shorter)


def _open(path: Path) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image.load()
                return image.copy()
    except UnidentifiedImageError as error:
        raise UserError(f"{path}: does not decode: it is not an image") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: does not decode: {error}") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    """Grey becomes three equal channels, transparency goes, 16 bits become their upper 8 (as stb_image has it)."""
    import numpy as np
    from PIL import Image

    if image.mode == "I" or image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image).astype(np.int64).clip(0, 0xFFFF) >> 8).astype(np.uint8))
    return image if image.mode == "RGB" else image.convert("RGB")
