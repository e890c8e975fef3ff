"""From the options that say who trains to the settings of an executor, and back to a command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import WORKERS_PANEL, Device, Workers
from nas.cli.signatures import Command, offering, parameters_of

if TYPE_CHECKING:
    from nas.executors.settings import ExecutorSettings


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """Who trains, as the command lines of all studies say it; None is what one does not say."""

    workers: Workers = None
    executor: Annotated[
        str,
        typer.Option(
            "--executor",
            help="Who trains: local (processes here) or ray (a cluster's workers).",
            rich_help_panel=WORKERS_PANEL,
        ),
    ] = "local"
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address",
            help="The Ray cluster: auto for the one this machine belongs to, or host:port; default: a Ray of this "
            "machine.",
            rich_help_panel=WORKERS_PANEL,
        ),
    ] = None
    cpus_per_worker: Annotated[
        float | None,
        typer.Option(
            "--cpus-per-worker",
            help="Cores of a worker on Ray, and its threads; default: 1.",
            rich_help_panel=WORKERS_PANEL,
        ),
    ] = None
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(
            "--gpus-per-worker",
            help="GPUs of a worker on Ray: a part of one (0.25), or 1, 2, ...; default: 0.",
            rich_help_panel=WORKERS_PANEL,
        ),
    ] = None
    resource: Annotated[
        list[str] | None,
        typer.Option(
            "--resource",
            help="NAME=AMOUNT of a resource that the Ray cluster's nodes have. Repeatable.",
            rich_help_panel=WORKERS_PANEL,
        ),
    ] = None
    hang_time: Annotated[
        str | None,
        typer.Option(
            "--hang-time",
            help="Silence after which a worker counts as stuck, is replaced, and its training goes out again; longer "
            "where its steps take longer; default: 2min.",
            rich_help_panel=WORKERS_PANEL,
        ),
    ] = None
    device: Device = "auto"

    def settings(self, *, measure_on: str | None = None) -> ExecutorSettings:
        """What an executor is made by; with the resource of the nodes that measure latencies, where a study does.

        Raises:
            UnknownNameError: no such executor.
            UserError: an option does not go with the executor, or a value is none; nobody answers at the cluster's
                address.
        """
        from nas.api.workers import Local
        from nas.errors import UserError
        from nas.executors import executors
        from nas.executors.settings import RAY
        from nas.executors.silence import DEFAULT_HANG_SECONDS
        from nas.units import parse_seconds

        executors[self.executor]
        hang_seconds = DEFAULT_HANG_SECONDS if self.hang_time is None else parse_seconds(self.hang_time)
        if self.executor == RAY:
            return self._on_ray(hang_seconds, measure_on)
        given = {
            "--ray-address": self.ray_address,
            "--cpus-per-worker": self.cpus_per_worker,
            "--gpus-per-worker": self.gpus_per_worker,
            "--resource": self.resource or None,
            "--measure-on": measure_on,
        }
        said = [option for option, value in given.items() if value is not None]
        if said:
            raise UserError(f"{', '.join(said)}: only workers on Ray have that; add --executor ray, or leave it out")
        return Local(self.workers, self.device, hang_seconds).settings()

    def _on_ray(self, hang_seconds: float, measure_on: str | None) -> ExecutorSettings:
        from nas.api.workers import Ray
        from nas.cli.output import notice
        from nas.errors import UserError

        if measure_on is not None and self.ray_address is None:
            raise UserError(
                f"--measure-on {measure_on}: a Ray of this machine alone has no such resource; name the cluster that "
                "has it by --ray-address"
            )
        if self.ray_address is not None:
            notice(f"Connecting to the Ray cluster at {self.ray_address}")
        ray = Ray(
            self.ray_address,
            self.workers,
            cpus_per_worker=1.0 if self.cpus_per_worker is None else self.cpus_per_worker,
            gpus_per_worker=self.gpus_per_worker or 0.0,
            resources=_amounts(self.resource or ()),
            hang_seconds=hang_seconds,
            measure_on=measure_on,
        )
        place = "cuda" if ray.gpus_per_worker else "cpu"
        if self.device not in ("auto", place):
            raise UserError(
                f"--device {self.device}: workers on Ray train on what they are given; that is {place} with "
                f"--gpus-per-worker {ray.gpus_per_worker:g}"
            )
        return ray.settings()


def with_workers(run: Command) -> Command:
    """The command with the options that say who trains, which it gets as one, `who`."""
    options = parameters_of(WorkerOptions)

    @wraps(run)
    def staffed(**given: Any) -> None:
        who = WorkerOptions(**{one.name: given.pop(one.name) for one in options})
        run(who=who, **given)

    return offering(staffed, [one for own in parameters_of(run) for one in (options if own.name == "who" else [own])])


def as_options(settings: ExecutorSettings) -> list[str]:
    """The settings as the words of a command line, if they are not the usual ones."""
    from nas.executors.settings import RAY
    from nas.executors.silence import DEFAULT_HANG_SECONDS

    is_usual = settings.hang_seconds == DEFAULT_HANG_SECONDS
    words = [] if is_usual else ["--hang-time", f"{settings.hang_seconds:.15g}s"]
    if settings.kind != RAY:
        return words
    needs = settings.needs
    words += ["--executor", settings.kind]
    words += [] if settings.address is None else ["--ray-address", settings.address]
    words += [] if needs.cpus == 1 else ["--cpus-per-worker", f"{needs.cpus:g}"]
    words += [] if not needs.gpus else ["--gpus-per-worker", f"{needs.gpus:g}"]
    for name, amount in needs.resources.items():
        words += ["--resource", f"{name}={amount:g}"]
    words += [] if settings.measure_on is None else ["--measure-on", settings.measure_on]
    words += [] if settings.workers is None else ["--workers", f"{settings.workers}"]
    return words


def _amounts(written: Sequence[str]) -> dict[str, float]:
    """`NAME=AMOUNT`, as in 'site=1'; raises UserError."""
    from nas.errors import UserError

    amounts: dict[str, float] = {}
    for one in written:
        name, _, amount = one.partition("=")
        try:
            value = float(amount)
        except ValueError:
            value = 0.0
        if not name or not value > 0:
            raise UserError(f"--resource {one}: write NAME=AMOUNT with an amount above 0, such as site=1")
        if name in ("CPU", "GPU"):
            raise UserError(f"--resource {one}: say this by --{name.lower()}s-per-worker")
        if name in amounts:
            raise UserError(f"--resource {one}: {name} is given twice")
        amounts[name] = value
    return amounts
