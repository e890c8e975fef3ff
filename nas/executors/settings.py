"""Which executor does the trainings of a study, and what its workers are given: settings that make it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nas.executors.base import Executor, Work, executors
from nas.executors.image_transfer import Decoded
from nas.executors.ray_executor import RayExecutor
from nas.executors.ray_needs import Needs
from nas.executors.silence import DEFAULT_HANG_SECONDS

LOCAL, RAY = "local", "ray"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorSettings:
    """Who trains.

    Attributes:
        kind: name of the executor.
        workers: trainings at a time; None on Ray for as many as the cluster has room for.
        device: where the workers train, 'cpu' or 'cuda'.
        address: of the Ray cluster, as in `RayExecutor`; None for a Ray of our own on this machine.
        needs: what each worker on Ray has.
        hang_seconds: silence after which a worker counts as stuck, as in `HangRule`.
        measure_on: custom resource of the node on Ray where latencies are measured; None for this machine.
    """

    kind: str = LOCAL
    workers: int | None = 1
    device: str = "cpu"
    address: str | None = None
    needs: Needs = field(default_factory=Needs)
    hang_seconds: float = DEFAULT_HANG_SECONDS
    measure_on: str | None = None

    def start(self, work: Work, *, jobs: int | None, images: Sequence[Decoded] = ()) -> Executor:
        """Make the executor.

        Args:
            work: what its workers do.
            jobs: how many there will be, where that is known; more workers would have nothing to do.
            images: decoded data sets in this machine's cache that the work reads.

        Raises:
            UserError, NasError: as `RayExecutor` does.
        """
        if self.kind == RAY:
            return RayExecutor(
                work,
                workers=self.workers_for(jobs),
                most=jobs,
                cpus_per_worker=self.needs.cpus,
                gpus_per_worker=self.needs.gpus,
                resources=self.needs.resources,
                address=self.address,
                images=images,
                hang_seconds=self.hang_seconds,
            )
        return executors[self.kind](work, workers=self.workers_for(jobs) or 1, hang_seconds=self.hang_seconds)

    def workers_for(self, jobs: int | None) -> int | None:
        """As many workers as are wanted, but no more than there are jobs; None where the cluster's room decides."""
        return self.workers if jobs is None or self.workers is None else min(self.workers, jobs)

    def describe(self, jobs: int | None) -> str:
        """How wide and where, for people: '2 at a time on cpu'."""
        workers = self.workers_for(jobs)
        if self.kind != RAY:
            return f"{workers} at a time on {self.device}"
        wide = "as many at a time as there is room for" if workers is None else f"{workers} at a time"
        where = "a Ray of this machine" if self.address is None else f"the Ray cluster at {self.address}"
        return f"{wide} on {where}, each with {self.needs}"


def log_of(executor: Executor) -> Path | None:
    """The file with what the system under an executor had to say, where there is one and it was kept."""
    return executor.log_path if isinstance(executor, RayExecutor) else None
