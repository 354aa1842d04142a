"""Candidates through a backend: one is built while others run."""

from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.backends.backend import Backend
from tvm_pipeline.backends.workers.run import RunAnswer
from tvm_pipeline.schedules.space import Choice

Candidate = tuple[Choice, Schedule]
Answered = tuple[Choice, Schedule, RunAnswer]


def answers(candidates: Sequence[Candidate], layer: Layer, backend: Backend) -> Generator[Answered, None, None]:
    """Each candidate with what the backend says of it, in the order of the answers.

    A caller that has heard enough closes the iterator: what has begun by then is waited for, and is lost.
    """
    return _in_parallel(candidates, layer, backend) if backend.lanes > 1 else _in_turn(candidates, layer, backend)


def _in_turn(candidates: Sequence[Candidate], layer: Layer, backend: Backend) -> Generator[Answered, None, None]:
    with ThreadPoolExecutor(1) as background:  # leaving it waits for the build on its way
        pending = background.submit(backend.build, candidates[0][1]) if candidates else None
        for position, (choice, schedule) in enumerate(candidates):
            assert pending is not None
            artifact, error = pending.result()
            following = candidates[position + 1][1] if position + 1 < len(candidates) else None
            if following is not None and not backend.overlaps:
                pending = background.submit(backend.build, following)
            answer = backend.run(artifact, layer) if error is None else RunAnswer((), None, False, error)
            if following is not None and backend.overlaps:
                pending = background.submit(backend.build, following)
            yield choice, schedule, answer


def _in_parallel(candidates: Sequence[Candidate], layer: Layer, backend: Backend) -> Generator[Answered, None, None]:
    def build_and_run(schedule: Schedule) -> RunAnswer:
        artifact, error = backend.build(schedule)
        return backend.run(artifact, layer) if error is None else RunAnswer((), None, False, error)

    with ThreadPoolExecutor(backend.lanes + 1) as pool:  # one more, which builds while all lanes run
        futures: dict[Future[RunAnswer], Candidate] = {
            pool.submit(build_and_run, schedule): (choice, schedule) for choice, schedule in candidates
        }
        try:
            for future in as_completed(futures):
                yield *futures[future], future.result()
        finally:
            for future in futures:
                future.cancel()
