"""What users ask of the verbs.

An option of ``compile`` or ``tune`` is added here and on the command line, nowhere else: to the ``Options`` where the
half that does the work must know it (``base.jobs``), to the ``Request`` where the front door settles it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, field
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.base.target_spec import NATIVE

MEASURES = CLOCK, MODEL = "clock", "model"
"""What tells how long a candidate takes: a clock, or the static model of an ARM core or a GPU."""

Shapes = Mapping[str, Sequence[int]] | Sequence[str]
Model = Any
"""A name of the zoo, an ``.onnx`` file, ``file.py:factory`` (``str`` or a path), or a ``torch.nn.Module``."""


class NetworkRequest(Document):
    """What every verb that compiles a network is told.

    :ivar weights: ``imagenet``, ``random`` or a checkpoint file; by default ImageNet's where they can be had.
    :ivar shape: the shape of a dynamic input by its name, or ``NAME:1x3x224x224`` each.
    :ivar outputs: names of tensors to compute in place of the file's outputs, and nothing behind them.
    :ivar logs: a folder of tuning logs in place of the user's own, which come first, and the checked-in ones.
    :ivar on_event: is told of progress, warnings and trials; by default warnings become Python's.
    """

    weights: str | None = None
    shape: Shapes | None = None
    outputs: Sequence[str] | None = None
    logs: str | Path | None = None
    on_event: OnEvent = field(default=warn_only, repr=False, compare=False)


class QuantisedRequest(NetworkRequest):
    """What every verb that may quantise a network first is told.

    :ivar calibration: for ``int8``: a folder of images, whose ranges the network's scales are made for.
    :ivar keep_quantised: a file to write the quantised network to, which other engines run too.
    """

    calibration: str | Path | None = None
    keep_quantised: str | Path | None = None


class CompileOptions(Document):
    """What the pipeline must know of a request to compile.

    :ivar dtype: what the network computes in.
    :ivar static: write one executable file with all of it inside, which needs nothing of the system but Linux.
    :ivar dump: a folder for the module after each phase, for a compiler's developer.
    """

    dtype: str = "float32"
    static: bool = False
    dump: Path | None = None


class CompileRequest(QuantisedRequest, CompileOptions, kw_only=False):
    """A network to compile into a package.

    :ivar model: a name of the zoo, an ``.onnx`` file, ``file.py:factory``, or an ``nn.Module``.
    :ivar target: a preset, an alias, ``native``, or a ``.toml`` file.
    :ivar output: the package's folder, or its ``.tar.gz``; an older package there is replaced in one step.
    :ivar cpu: LLVM's name of the CPU whose tuning records are wanted, such as znver5; by default this CPU's where the
        target is ``native``, else what serves all CPUs of the target best.
    :ivar threads: how many threads to schedule for; by default the target's.
    :ivar labels: a file with one class name per line.
    :ivar compiler: a C++ compiler of the system's for that target, which links the module instead of ziglang's.
    :ivar check: compare every output with the ONNX file's before the package is put in its place; a wrong one is not.
    """

    model: Model
    target: str = NATIVE
    output: str | Path = "package"
    _: KW_ONLY
    cpu: str | None = None
    threads: int | None = None
    labels: str | Path | None = None
    compiler: str | None = None
    check: bool = True


class TuneOptions(Document):
    """What the pipeline must know of a request to tune.

    :ivar trials: at most so many trials in this run.
    :ivar seconds: at most so much time.
    :ivar dtype: what the network computes in.
    :ivar measure: ``clock``, or ``model``: nothing is measured, a static model says what a candidate would take on the
        target's ARM core or GPU, and the records say "modelled".
    :ivar finals_only: search no further: time the best known choices of each layer inside the networks.
    """

    trials: int | None = None
    seconds: float | None = None
    dtype: str = "float32"
    measure: str = CLOCK
    finals_only: bool = False


class TuneRequest(NetworkRequest, TuneOptions, kw_only=False):
    """Networks whose layers to tune.

    :ivar model: a name of the zoo, an ``.onnx`` file, ``file.py:factory``, an ``nn.Module``; a list of such; or
        ``zoo``: every network of the zoo.
    :ivar target: a preset, an alias, ``native``, or a ``.toml`` file.
    :ivar threads: how many threads to tune for; by default the target's.
    :ivar device: build here, measure on all free boards of ``tracker://HOST:PORT/KEY``. A board that is an emulator is
        for trying this out: nothing is written into logs then.
    """

    model: Model
    target: str = NATIVE
    _: KW_ONLY
    threads: int | None = None
    device: str | None = None


class CompareRequest(QuantisedRequest, kw_only=False):
    """A network to time beside other engines.

    :ivar model: a name of the zoo, an ``.onnx`` file, ``file.py:factory``, or an ``nn.Module``.
    :ivar targets: each is compiled once, or once per thread count that its logs know, and kept in the cache.
    :ivar against: engines of ``mobilenet_tvm.engines``.
    :ivar threads: thread counts to measure with.
    :ivar dtype: what the network computes in.
    :ivar rounds: how often each engine has its turn.
    :ivar csv: a file to write the results to, a row each.
    """

    model: Model
    targets: Sequence[str] = (NATIVE,)
    against: Sequence[str] = ("onnxruntime",)
    _: KW_ONLY
    threads: Sequence[int] = (1,)
    dtype: str = "float32"
    rounds: int = 20
    csv: str | Path | None = None


class ExportOptions(Document):
    """What the frontend must know of a request to export.

    :ivar batch: images per call.
    :ivar classes: classes of the last layer; by default ImageNet's 1000.
    :ivar activation: ``relu`` or ``relu6``, for MobileNetV1.
    """

    batch: int = 1
    classes: int | None = None
    activation: str | None = None


class ExportRequest(ExportOptions, kw_only=False):
    """A network to export to ONNX.

    :ivar model: a name of the zoo, ``file.py:factory``, or an ``nn.Module``.
    :ivar output: the file to write.
    :ivar weights: ``imagenet``, ``random`` or a checkpoint file; by default ImageNet's where they can be had.
    :ivar shape: the input's shape, batch included, of a factory's module; of several inputs by their names.
    :ivar on_event: is told of progress and warnings; by default warnings become Python's.
    """

    model: Model
    output: str | Path
    _: KW_ONLY
    weights: str | None = None
    shape: Mapping[str, Sequence[int]] | Sequence[int] | None = None
    on_event: OnEvent = field(default=warn_only, repr=False, compare=False)


class TrainOptions(Document):
    """What the frontend must know of a request to train.

    :ivar epochs: at most so many times through all images; fewer where eight in a row bring nothing.
    :ivar batch: images per step.
    :ivar seed: of the weights, the crops and the order: on one machine the same seed makes the same weights.
    """

    epochs: int = 30
    batch: int = 64
    seed: int = 0


class TrainRequest(TrainOptions, kw_only=False):
    """A network to train from nothing.

    :ivar model: a classifier's name in the zoo; small ones are mobilenet_v1_0.25_32 and mobilenet_v3_small_0.25_32.
    :ivar data: a folder with a sub-folder of images for each class, named as the class.
    :ivar output: the checkpoint to write: a file of PyTorch's or, if it ends so, .safetensors.
    :ivar on_event: is told of progress and warnings; by default warnings become Python's.
    """

    model: str
    data: str | Path
    output: str | Path
    _: KW_ONLY
    on_event: OnEvent = field(default=warn_only, repr=False, compare=False)
