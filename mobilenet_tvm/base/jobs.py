"""What the front door asks of its two halves: what it has settled of a request, and the options they must know."""

from __future__ import annotations

from pathlib import Path

from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.requests import CompileOptions, ExportOptions, TrainOptions, TuneOptions
from mobilenet_tvm.base.target_spec import TargetSpec

PIPELINE = "tvm_pipeline"
"""Who answers all of these but the last three."""


class CompileJob(Document):
    """The pipeline's part of ``compile``: an ONNX file becomes a module in ``out``.

    :ivar threads: how many threads to schedule for.
    :ivar shape: the shape of each input by its name; null for the file's own.
    :ivar logs: folders of tuning logs, first come first.
    """

    onnx: Path
    target: TargetSpec
    threads: int
    out: Path
    logs: tuple[Path, ...] = ()
    shape: dict[str, tuple[int, ...]] | None = None
    options: CompileOptions = CompileOptions()


class NetworkFile(Document):
    """A network to tune.

    :ivar shape: the shape of each input by its name; null for the file's own.
    """

    name: str
    onnx: Path
    shape: dict[str, tuple[int, ...]] | None = None


class TuneJob(Document):
    """The pipeline's part of ``tune``.

    :ivar networks: whose layers are to be tuned.
    :ivar threads: how many threads to tune for.
    :ivar device: the boards that measure, ``tracker://HOST:PORT/KEY``.
    :ivar logs: the folder to write logs to.
    :ivar known_logs: folders of logs whose layers are known already.
    :ivar database: the folder where MetaSchedule keeps every finished trial.
    """

    networks: tuple[NetworkFile, ...]
    target: TargetSpec
    threads: int
    logs: Path
    database: Path
    known_logs: tuple[Path, ...] = ()
    device: str | None = None
    options: TuneOptions = TuneOptions()


class LogsCheckJob(Document):
    """Replay every line of a target's own logs.

    :ivar can_run: whether this CPU runs the target's code; else the kernels are built alone.
    """

    target: TargetSpec
    dtype: str
    logs: tuple[Path, ...]
    can_run: bool = True


class LogsExportJob(Document):
    """Write a target's own logs as a MetaSchedule database into ``out``."""

    target: TargetSpec
    dtype: str
    logs: tuple[Path, ...]
    out: Path


class BoardDescribeJob(Document):
    """What a free board of ``device`` says of itself."""

    device: str


class BoardRunJob(Document):
    """``mobilenet-run PACKAGE WORDS...`` on a free board of ``device``.

    :ivar folder: the package's, here.
    :ivar files: what the board is sent of it.
    """

    device: str
    folder: Path
    files: tuple[str, ...]
    words: tuple[str, ...]


class ExportJob(Document):
    """The frontend's part of ``export``: a network becomes the ONNX file ``out``.

    :ivar weights: ``imagenet``, ``random``, a file, a folder, or null: ImageNet's where they can be had, else random.
    :ivar shape: of the one input, or of each by its name, in the order of ``forward``'s parameters.
    :ivar saved: the file of a module that the user passed as an object; ``model`` is its class's name then.
    """

    model: str
    out: Path
    weights: str | None = None
    shape: dict[str, tuple[int, ...]] | tuple[int, ...] | None = None
    saved: Path | None = None
    options: ExportOptions = ExportOptions()


class ModelsJob(Document):
    """The zoo with each model's layer table; with ``name`` that model in full."""

    name: str | None = None


class TrainJob(Document):
    """The frontend's part of ``train``: images in ``data`` make the checkpoint ``out``."""

    model: str
    data: Path
    out: Path
    options: TrainOptions = TrainOptions()
