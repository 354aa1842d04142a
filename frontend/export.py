"""A module becomes an ONNX file, which appears only after PyTorch and ONNX Runtime agreed on what it computes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import torch

from frontend.agreement import Difference, Inputs, OnnxRuntime, Outputs, worst_difference
from frontend.loading import Loaded, load
from frontend.onnx_file import to_onnx
from frontend.outputs import Flat, distinct, is_flat, named_outputs
from frontend.value_reads import ValueReads
from mobilenet_tvm.base.answers import Exported, FileNotes, OnnxInput
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.jobs import ExportJob
from mobilenet_tvm.base.paths import replacing
from mobilenet_tvm.base.protocol import Emit

_SEED = 20170417
_CHOOSE = "an ONNX file holds what one run did: compute both sides and choose with torch.where"


def export(job: ExportJob, emit: Emit) -> Exported:
    """Write the file and say what is in it.

    :raises UserError: what is asked for does not exist or does not fit; nothing is written then.
    """
    out = _checked_destination(job.out)
    emit.progress("load", detail=job.model)
    loaded = load(job, emit)
    example, other = (_normal(loaded, seed) for seed in (_SEED, _SEED + 1))
    returned, reads = _first_run(loaded, other)
    expected = named_outputs(returned, loaded.name)
    emit.progress("export", detail=loaded.name)
    module = loaded.exportable if is_flat(returned) else Flat(loaded.exportable, loaded.name)
    names = distinct(expected, loaded.shapes)
    notes = FileNotes(preprocessing=loaded.preprocessing, labels=loaded.labels, classes=loaded.classes)
    data = to_onnx(module, example, names, loaded.name, notes)
    emit.progress("verify", detail=loaded.name)
    difference = _checked(data, other, expected, loaded, reads, emit)
    with replacing(out) as temporary:
        temporary.write_bytes(data)
    inputs = tuple(OnnxInput(name=name, shape=shape) for name, shape in loaded.shapes.items())
    return Exported(
        onnx=out,
        sha256=hashlib.sha256(data).hexdigest(),
        model=loaded.name,
        weights=loaded.weights,
        weights_note=loaded.weights_note,
        input=inputs[0],
        inputs=inputs,
        outputs=names,
        preprocessing=loaded.preprocessing,
        labels=loaded.labels,
        classes=loaded.classes,
        max_abs_err=difference.largest,
        output_range=difference.scale,
    )


def _checked_destination(out: Path) -> Path:
    path = out.absolute()
    if path.is_dir():
        raise UserError(f"{path} is a folder; name the file to write, such as {path / 'model.onnx'}")
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent} to write {path.name} into")
    return path


def _normal(loaded: Loaded, seed: int) -> Inputs:
    """Seeded inputs, standard normal."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(*shape, generator=generator) for name, shape in loaded.shapes.items()}


def _probes(loaded: Loaded) -> Iterator[tuple[str, Inputs]]:
    """Inputs of other statistics, for a module that looks at them: images in both ranges that are usual among them."""
    uniform = {name: torch.rand(*shape) for name, shape in loaded.shapes.items()}
    for scale, title in ((0.0, "zeros"), (1.0, "0 to 1"), (255.0, "0 to 255"), (-10.0, "-10 to 0")):
        yield title, {name: tensor * scale for name, tensor in uniform.items()}


@torch.no_grad()
def _first_run(loaded: Loaded, inputs: Inputs) -> tuple[object, ValueReads]:
    """What PyTorch computes, in the module as it is, before anything is folded, and where it looks at values.

    :raises UserError: the module does not run on such inputs, or a second run computes something else.
    """
    with ValueReads(inputs.values()) as reads:
        output = _run(loaded, inputs)
    if not loaded.of_zoo:
        first, second = (named_outputs(value, loaded.name) for value in (output, _run(loaded, inputs)))
        again = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in second.items()}
        if first.keys() != again.keys() or not worst_difference([t.numpy() for t in again.values()], first).fits:
            raise UserError(
                f"{loaded.name} computes something else in every call, and an exported module has to compute the same: "
                "F.dropout needs training=self.training, and neither torch.rand nor a counter may be in it"
            )
    return output, reads


@torch.no_grad()
def _run(loaded: Loaded, inputs: Inputs) -> object:
    try:
        return loaded.module(*(tensor.clone() for tensor in inputs.values()))
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        shapes = ", ".join("x".join(map(str, tensor.shape)) for tensor in inputs.values())
        what = f"a float32 input of {shapes}" if len(inputs) == 1 else f"float32 inputs of {shapes}"
        raise UserError(f"{loaded.name} does not run on {what}: {lines[0][:200]}") from error


def _checked(
    data: bytes, inputs: Inputs, expected: Outputs, loaded: Loaded, reads: ValueReads, emit: Emit
) -> Difference:
    """The difference between ONNX Runtime and PyTorch on inputs that the exporter did not see.

    :raises UserError: they disagree there, or on other inputs where the module looks at their values.
    """
    runtime = OnnxRuntime(data)
    difference = worst_difference(runtime.run(inputs), expected)
    if not difference.fits:
        raise _disagreement(difference, loaded, reads)
    if reads.places or reads.dynamic:
        _check_probes(runtime, loaded, reads)
    if reads.places:
        emit.warning(
            f"{loaded.name} looks at its input's values in Python ({reads.places[0]}), and {_CHOOSE}; on the inputs "
            "tried, the file computed what the module computes"
        )
    return difference


def _check_probes(runtime: OnnxRuntime, loaded: Loaded, reads: ValueReads) -> None:
    for title, probe in _probes(loaded):
        try:
            expected = named_outputs(_run(loaded, probe), loaded.name)
        except UserError:
            continue  # a check of its own that this input does not pass
        difference = worst_difference(runtime.run(probe), expected)
        if not difference.fits:
            raise _disagreement(difference, loaded, reads, f" on values of {title}")


def _disagreement(difference: Difference, loaded: Loaded, reads: ValueReads, where: str = "") -> Exception:
    message = (
        f"ONNX Runtime and PyTorch disagree on {loaded.name}{where}: by {difference.largest:.3g} in "
        f"{difference.output!r}, where the output's range is {difference.scale:.3g}"
    )
    if loaded.of_zoo:
        return SystemFailure(message)
    if reads.places:
        return UserError(f"{message}; it looks at its input's values ({reads.places[0]}), and {_CHOOSE}")
    return UserError(f"{message}; a module has to compute the same in every call, without branching on its values")
