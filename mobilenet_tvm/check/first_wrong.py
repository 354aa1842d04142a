"""Which operator a wrong network goes wrong at.

The network is compiled once more with every operator's result as an output, and the first one that is off is named.
More outputs mean that less is fused: where all of them are right, the network is cut after ever fewer operators.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.events import OnEvent, progress
from mobilenet_tvm.base.jobs import CompileJob
from mobilenet_tvm.base.paths import sha256_file
from mobilenet_tvm.base.requests import CompileOptions
from mobilenet_tvm.check.intermediates import Intermediates
from mobilenet_tvm.check.self_test_here import self_test_here
from mobilenet_tvm.model.source import ModelSource
from mobilenet_tvm.package.build import fill_package
from mobilenet_tvm.places.answers import OutputError, SelfTest


def _whole(test: SelfTest) -> str:
    wrong = [error for error in test.outputs or () if not error.passed]
    if not wrong:
        return f"the output is off by {test.relative_err:.2g} of its range"
    return f"output {wrong[0].name!r} is off {wrong[0].by_how_much}"


class _Search:
    """Compiles parts of one network as the whole was compiled."""

    def __init__(self, source: ModelSource, job: CompileJob, on_event: OnEvent, scratch: Path) -> None:
        self._source, self._on_event, self._scratch = source, on_event, scratch
        self._job = replace(job, options=CompileOptions(dtype=job.options.dtype))
        self.graph = Intermediates(source.onnx)

    def wrong(self, values: list[str]) -> list[OutputError]:
        """Those of the values that are wrong when they are all that is asked for, in the same order."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            onnx = self.graph.save(self._scratch / "part.onnx", values)
            source = replace(self._source, onnx=onnx, onnx_sha256=sha256_file(onnx))
            manifest = fill_package(source, replace(self._job, onnx=onnx, out=Path(folder)), None, self._on_event)
            test = self_test_here(Path(folder), manifest, self._on_event)
        return [error for error in test.outputs or () if not error.passed]

    def first(self) -> OutputError | None:
        """The first value that is wrong; None where no part of the network shows it."""
        values = list(self.graph.makers)
        if at_once := self.wrong(values):
            return at_once[0]
        low, high, last = 0, len(values), None
        while low < high:
            progress(self._on_event, "diagnosing", low, high)
            middle = (low + high) // 2
            wrong = self.wrong(values[middle : middle + 1])
            low, high, last = (low, middle, wrong[0]) if wrong else (middle + 1, high, last)
        return last


def first_wrong(source: ModelSource, job: CompileJob, test: SelfTest, on_event: OnEvent) -> str:
    """A sentence that names the first operator whose result is off, and by how much the outputs are.

    :param job: whose target's code runs on this machine.
    :param test: what the whole network came to.
    """
    progress(on_event, "diagnosing")
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        try:
            search = _Search(source, job, on_event, Path(scratch))
            error = search.first()
        except (UserError, SystemFailure):  # the network in parts is another network, which may not compile
            return _whole(test)
    if error is None:
        return _whole(test)
    node = search.graph.makers[error.name]
    named = f"{node.op_type} {node.name!r}" if node.name else node.op_type
    return f"{named} is the first operator whose result is off ({error.name!r}, {error.by_how_much}); {_whole(test)}"
