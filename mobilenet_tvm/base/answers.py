"""What the two halves answer to the front door's requests (``base.compiled`` has the answer to ``CompileJob``)."""

from __future__ import annotations

from pathlib import Path

from mobilenet_tvm.base.document import UNSET, Count, Document, Factor, Sha256, Share, UnsetType, Whole
from mobilenet_tvm.base.preprocessing import Preprocessing


class TunedLayer(Document):
    """A layer after tuning.

    :ivar seconds: the best.
    :ivar rival_seconds: what the schedule for one thread takes with these threads; a variant must gain 3 %.
    :ivar improved: whether this run wrote a better schedule into the log.
    """

    layer: str
    trials: Whole
    seconds: float | None
    rival_seconds: float | UnsetType | None = UNSET
    improved: bool


class JudgedNetwork(Document):
    """A network in which the best few choices of its layers were timed.

    :ivar before: seconds of the network with the choices that the logs knew.
    :ivar after: with those that are kept.
    """

    name: str
    before: Factor
    after: Factor


class TuningResult(Document):
    """The answer to a ``TuneJob``.

    :ivar log: null where an emulated board measured: its times go into no log.
    :ivar already_known: layers left alone because the logs know them.
    :ivar noisy: measurements repeated because the machine was disturbed.
    :ivar networks: in which finalists were timed; not there where there were none.
    """

    trials: Whole
    layers: tuple[TunedLayer, ...]
    log: str | None
    already_known: Whole
    interrupted: bool
    noisy: Whole | UnsetType = UNSET
    cost_model_updates: Whole | UnsetType = UNSET
    networks: tuple[JudgedNetwork, ...] | UnsetType = UNSET


class FailedLine(Document):
    """A line of a log that no longer applies, and why."""

    layer: str
    threads: Count
    error: str


class LogsChecked(Document):
    """The answer to a ``LogsCheckJob``."""

    checked: Whole
    failed: tuple[FailedLine, ...]


class LogsExported(Document):
    """The answer to a ``LogsExportJob``: how many records were written."""

    records: Whole


class BoardFacts(Document):
    """The answer to a ``BoardDescribeJob``; null where the board's server, which is not ours, says nothing.

    :ivar address: where the tracker says that it is.
    :ivar emulated: its times are an emulator's.
    :ivar gpu: its NVIDIA GPU's name, where kernels for one were asked for.
    """

    address: str
    key: str
    emulated: bool
    program: str = "a server of TVM's RPC"
    arch: str | None = None
    cpu: str | None = None
    features: tuple[str, ...] = ()
    cores: int | None = None
    governor: str | None = None
    load_average: tuple[float, ...] = ()
    gpu: str | None = None


class BoardRun(Document):
    """The answer to a ``BoardRunJob``: the program's exit code and what it printed, and the board that ran it."""

    code: int
    output: str
    error: str
    board: BoardFacts


class OnnxInput(Document):
    """An input of a network, its shape fixed."""

    name: str
    shape: tuple[Count, ...]
    dtype: str = "float32"


NOTES_KEY = "mobilenet_tvm"
"""Under which an exported ONNX file's metadata has its ``FileNotes``, as JSON."""


class FileNotes(Document):
    """What an exported ONNX file says of itself.

    :ivar labels: a known list of classes.
    :ivar classes: their names, where they are no known list.
    """

    preprocessing: Preprocessing | None = None
    labels: str | None = None
    classes: tuple[str, ...] = ()


class Exported(Document):
    """The answer to an ``ExportJob``.

    :ivar weights: ``imagenet``, ``random``, ``file`` or ``given``.
    :ivar weights_note: whose they are.
    :ivar input: the first input.
    :ivar outputs: the names of all outputs.
    :ivar labels: a known list of classes.
    :ivar classes: their names, where the weights bring them.
    :ivar max_abs_err: of ONNX Runtime against PyTorch, in the output where it is largest for the output's range.
    :ivar output_range: that output's.
    """

    onnx: Path
    sha256: Sha256
    model: str
    weights: str
    weights_note: str
    input: OnnxInput
    inputs: tuple[OnnxInput, ...] = ()
    outputs: tuple[str, ...] = ()
    preprocessing: Preprocessing | None
    labels: str | None
    classes: tuple[str, ...] = ()
    max_abs_err: float
    output_range: float


class Trained(Document):
    """The answer to a ``TrainJob``.

    :ivar classes: their names, in the order of the network's outputs.
    :ivar images: all of them; a tenth is held back.
    :ivar epochs: how many were run; the weights are those of ``best_epoch``.
    :ivar accuracy: the share of the images held back that it gets right.
    :ivar interrupted: by the user, who gets the best epoch so far.
    """

    checkpoint: Path
    model: str
    classes: tuple[str, ...]
    images: Count
    epochs: Count
    best_epoch: Count
    accuracy: Share
    seconds: float
    interrupted: bool = False


class NetworkLayer(Document):
    """One line of a model's layer table; shapes are without the batch, Mult-Adds for one image.

    :ivar kind: conv2d, pointwise, depthwise, dense, pool, add or mul.
    :ivar input: ``[C, H, W]`` or, of a dense layer, ``[C]``.
    :ivar output: likewise.
    """

    name: str
    kind: str
    input: tuple[Count, ...]
    output: tuple[Count, ...]
    kernel: tuple[Count, Count] | None = None
    stride: int | None = None
    padding: int | None = None
    groups: int | None = None
    parameters: Whole = 0
    mult_adds: Whole = 0


class KindShare(Document):
    """One kind's part of the whole, as fractions (the paper's Table 2 has them in per cent)."""

    kind: str
    mult_adds_share: Share
    parameters_share: Share


class SeparableBlock(Document):
    """A depthwise and its pointwise layer, beside the full convolution that they stand for.

    :ivar ratio: exactly 1/N + 1/D_K^2 for N output channels and a D_K x D_K kernel.
    :ivar formula: the ratio in figures.
    """

    name: str
    mult_adds: Whole
    full_convolution_mult_adds: Whole
    ratio: Share
    formula: str


class ModelSummary(Document):
    """A model of the zoo in one line.

    :ivar imagenet: whether a package carries ImageNet weights.
    """

    name: str
    parameters: Whole
    mult_adds: Whole
    resolution: Count
    imagenet: bool


class ModelCost(ModelSummary):
    """A model of the zoo in full."""

    layers: tuple[NetworkLayer, ...]
    shares: tuple[KindShare, ...]
    separable_blocks: tuple[SeparableBlock, ...]


class Zoo(Document):
    """The answer to a ``ModelsJob``: every model, or the one that was named."""

    models: tuple[ModelCost, ...]
