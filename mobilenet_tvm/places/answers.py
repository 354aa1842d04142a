"""What a package's own program, ``mobilenet-run --json``, answers."""

from __future__ import annotations

from mobilenet_tvm.base.document import UNSET, Amount, Count, Document, Share, UnsetType, Whole


class GpuAtWork(Document):
    """The GPU that ran a package.

    :ivar compute_capability: 80 is 8.0.
    :ivar cuda_version: the newest that the driver knows: 13000 is 13.0.
    """

    name: str
    compute_capability: int
    cuda_version: int
    emulated: bool


class Answer(Document):
    """What every answer says.

    :ivar gpu: the GPU that ran it; of a GPU's package alone.
    """

    model: str
    target: str
    threads: Count
    gpu: GpuAtWork | UnsetType | None = UNSET


class Ranked(Document):
    """A class, and how likely it is."""

    class_id: Whole
    label: str
    probability: Share


class Latency(Document):
    """Milliseconds of one inference."""

    min: float
    median: float
    p90: float
    runs: Count


class OutputValue(Document):
    """An output of the network, for one input.

    :ivar file: what ``--save`` calls it.
    :ivar elements: all in C order, where they are at most 1000 and the network does not score classes; null is NaN or
        infinity.
    :ivar data: little-endian bytes in base64, where they were asked for.
    """

    name: str
    file: str
    dtype: str
    shape: tuple[Whole, ...]
    elements: tuple[int | float | None, ...] | UnsetType = UNSET
    data: str | UnsetType = UNSET


class Classified(Document):
    """What the network makes of an input.

    :ivar image: the input: a file, or the names and files of several tensors.
    :ivar top: the most likely classes; empty where the first output scores none: it is ``[N, C]`` of float32, with
        more than five classes or with names for them.
    :ivar outputs: all outputs; of a batch that is told row by row those of the whole batch, with its first row.
    """

    image: str
    top: tuple[Ranked, ...]
    outputs: tuple[OutputValue, ...] | UnsetType = UNSET
    latency_ms: Latency | UnsetType = UNSET


class ClassifyAnswer(Answer):
    """To ``IMAGE...``."""

    results: tuple[Classified, ...]


class Times(Document):
    """Milliseconds of one inference.

    :ivar min_ms: fastest.
    :ivar median_ms: median.
    :ivar p90_ms: 90th percentile.
    """

    min_ms: Amount
    median_ms: Amount
    p90_ms: Amount
    runs: Count


class BenchAnswer(Answer):
    """To ``--repeat N`` without an image."""

    bench: Times


class OutputError(Document):
    """How far one output is from the reference, over all pairs.

    A float may be off by the manifest's step of that output, or by the manifest's tolerance times ``output_range``, or
    times a tenth of the largest magnitude where that is more. Whole numbers and booleans are equal, or a step apart
    where the manifest has one.

    :ivar max_abs_err: the largest, where both are finite.
    :ivar output_range: largest less smallest of the reference's finite values; of booleans and integers too.
    :ivar mismatches: values that no tolerance covers: NaN or infinity at other places, unequal whole numbers.
    """

    name: str
    dtype: str
    max_abs_err: float
    output_range: float
    mismatches: Whole
    passed: bool

    @property
    def by_how_much(self) -> str:
        """In words."""
        if self.mismatches:
            return f"in {self.mismatches} values"
        if self.output_range:
            return f"by {self.max_abs_err / self.output_range:.2g} of its range"
        return f"by {self.max_abs_err:.3g}"


class SelfTest(Document):
    """How far a package is from the reference that it carries.

    The figures beside ``outputs`` are those of the worst output of floating-point numbers, else of the first output.

    :ivar relative_err: the largest error as a share of the output's range.
    :ivar top1_agrees: whether the likeliest classes are the same but for ties within the tolerance; true where the
        first output scores no classes.
    :ivar top5_agrees: likewise of the five likeliest.
    :ivar outputs: each; programs of older packages tell of the first alone and in no such detail.
    """

    max_abs_err: float
    output_range: float
    relative_err: float
    top1_agrees: bool
    top5_agrees: bool
    passed: bool
    outputs: tuple[OutputError, ...] | UnsetType = UNSET


class SelfTestAnswer(Answer):
    """To ``--self-test``."""

    self_test: SelfTest


class Call(Document):
    """A function that the network calls, and the median of its time."""

    name: str
    median_ms: float


class CallTimes(Document):
    """Whole inferences, and the functions that they call, in their order.

    :ivar peak_gmacs: measured multiply-adds of float32 per second of one core, in 1e9; of a CPU's package alone.
    :ivar peaks: the same of each dtype for which the package may use instructions of its own; older runners have none.
    """

    median_ms: Amount
    runs: Count
    peak_gmacs: Amount | UnsetType = UNSET
    peaks: dict[str, Amount] | UnsetType = UNSET
    calls: tuple[Call, ...]


class ProfileAnswer(Answer):
    """To ``--profile``."""

    profile: CallTimes
