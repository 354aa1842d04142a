"""What the front door asks of the process that quantises."""

from __future__ import annotations

from pathlib import Path

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.preprocessing import Preprocessing


class QuantiseJob(Document):
    """Quantise ``onnx`` into ``out``; the answer is a ``Quantisation``.

    :ivar input: the network's only one, float32.
    :ivar files: images, or ``.npy`` files with the input as it is; without any, seeded random inputs calibrate.
    :ivar preprocessing: how an image becomes the input; null where it can be none.
    :ivar quantiser: a name of ``quantise.quantisers``.
    """

    onnx: Path
    out: Path
    input: OnnxInput
    quantiser: str
    files: tuple[Path, ...] = ()
    preprocessing: Preprocessing | None = None
