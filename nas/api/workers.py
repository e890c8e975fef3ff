"""Who trains: processes of this machine, or workers on Ray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nas.executors.ray_address import require_address
from nas.executors.ray_needs import Needs
from nas.executors.settings import LOCAL, RAY, ExecutorSettings
from nas.executors.silence import DEFAULT_HANG_SECONDS
from nas.search.launch import default_workers, resolve_device


@dataclass(frozen=True, slots=True)
class Local:
    """Processes of this machine, one thread each.

    Attributes:
        workers: trainings at a time; None for one a core, or one on a GPU.
        device: where they train: `auto`, `cpu` or `cuda`.
        hang_seconds: silence after which a worker counts as stuck and is replaced.
    """

    workers: int | None = None
    device: str = "auto"
    hang_seconds: float = DEFAULT_HANG_SECONDS

    def settings(self, default: int | None = None) -> ExecutorSettings:
        """What starts them; `default` workers where their number is not given.

        Raises:
            UserError: there is no such device.
        """
        place = resolve_device(self.device)
        return ExecutorSettings(
            kind=LOCAL,
            workers=self.workers or default or default_workers(place),
            device=place,
            hang_seconds=self.hang_seconds,
        )


@dataclass(frozen=True, slots=True)
class Ray:
    """Workers on a Ray cluster.

    Attributes:
        address: `auto` for the cluster this machine belongs to, or host:port; None for a Ray of this machine alone.
        workers: trainings at a time; None for as many as there is room for.
        cpus_per_worker: cores, and threads, of each.
        gpus_per_worker: a part of a GPU (0.25), or whole ones; 0 trains on the CPU.
        resources: of the cluster's own resources, by name.
        hang_seconds: silence after which a worker counts as stuck and is replaced.
        measure_on: resource of a node that is kept free, as a whole, to measure latencies on, such as `device:jetson`.
    """

    address: str | None = None
    workers: int | None = None
    cpus_per_worker: float = 1.0
    gpus_per_worker: float = 0.0
    resources: Mapping[str, float] = field(default_factory=dict)
    hang_seconds: float = DEFAULT_HANG_SECONDS
    measure_on: str | None = None

    def settings(self, default: int | None = None) -> ExecutorSettings:
        """What starts them; `default` workers where their number is not given.

        Raises:
            UserError: nobody answers at the address, or a need is none.
        """
        needs = Needs(cpus=self.cpus_per_worker, gpus=self.gpus_per_worker, resources=self.resources)
        if self.address is not None:
            require_address(self.address)
        return ExecutorSettings(
            kind=RAY,
            workers=self.workers or default,
            device="cuda" if needs.gpus else "cpu",
            address=self.address,
            needs=needs,
            hang_seconds=self.hang_seconds,
            measure_on=self.measure_on,
        )
