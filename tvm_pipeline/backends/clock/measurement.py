"""Builds candidates on some of this machine's cores and measures them on others."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tvm.s_tir import Schedule

from mobilenet_tvm.base.host_cpu import host_cpu, host_features, host_model
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MEASURED
from tvm_pipeline.backends.backend import Answer, Setup
from tvm_pipeline.backends.conditions import Conditions, campaign_today, short_name
from tvm_pipeline.backends.workers.build import KernelBuilder
from tvm_pipeline.backends.workers.process import WorkerFailed, WorkerProcess
from tvm_pipeline.backends.workers.run import Measurer
from tvm_pipeline.hardware.target import AnyTarget

RUN_TIMEOUT = 60.0


@dataclass(frozen=True)
class Cores:
    """Which CPU cores measure and which build; with one core, or none to spare, they are the same."""

    running: frozenset[int]
    building: frozenset[int]

    @staticmethod
    def split(threads: int) -> "Cores":
        cores = sorted(os.sched_getaffinity(0))
        running = frozenset(cores[:threads])
        return Cores(running, frozenset(cores) - running or running)

    @property
    def overlap(self) -> bool:
        """Whether building disturbs measuring, so that they must take turns."""
        return bool(self.running & self.building)


class Measurement:
    """Two warm processes: one builds, one runs. Use as a context; both end with it."""

    is_repeatable = False
    lanes = 1

    def __init__(self, target: AnyTarget, threads: int) -> None:
        self.cores = Cores.split(threads)
        self.overlaps = self.cores.overlap
        self._target, self._threads = target, threads
        self._builder = KernelBuilder(target, cores=self.cores.building)
        environment = {"TVM_NUM_THREADS": str(threads), "TVM_BIND_THREADS": "0", "OMP_NUM_THREADS": str(threads)}
        self._runner = WorkerProcess(Measurer(), environment, self.cores.running)

    @property
    def conditions(self) -> Conditions:
        cpu = host_model()
        is_narrow = "avx512f" in host_features() and "avx512f" not in self._target.cpu_features
        remarks = "AVX2 code, measured on a CPU that has AVX-512" if is_narrow else ""
        campaign = campaign_today(f"{host_cpu() or short_name(cpu)} {self._threads}t")
        return Conditions(MEASURED, campaign, "local", cpu, remarks, cpu=host_cpu())

    def __enter__(self) -> Self:
        self._builder.start()
        self._runner.start()
        self._all_cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self.cores.building)  # the search itself must not disturb what is being measured
        return self

    def __exit__(self, *_: object) -> None:
        os.sched_setaffinity(0, self._all_cores)
        self._runner.stop()
        self._builder.stop()

    def build(self, schedule: Schedule) -> Path:
        return self._builder.build(schedule)

    def run(self, artifact: Path, layer: Layer) -> Answer:
        try:
            return self._runner.ask(Measurer.measure, self._builder.run_request(artifact, layer), RUN_TIMEOUT)
        except WorkerFailed as error:
            return Answer(error=str(error))
        finally:
            artifact.unlink(missing_ok=True)


def open_backend(setup: Setup) -> Measurement:
    """This machine's clock."""
    return Measurement(setup.target, setup.threads)
