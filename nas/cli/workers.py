"""From the options that say who trains to the settings of an executor, and back to a command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nas.executors.settings import ExecutorSettings


def executor_settings(
    executor: str,
    *,
    workers: int | None,
    device: str,
    ray_address: str | None,
    cpus_per_worker: float | None,
    gpus_per_worker: float | None,
    resource: Sequence[str] | None,
    hang_time: str | None,
    measure_on: str | None = None,
) -> ExecutorSettings:
    """The settings that a command line means; None is what it does not say.

    Raises:
        UnknownNameError: no such executor.
        UserError: an option does not go with the executor, or a value is none; nobody answers at the cluster's address.
    """
    from nas.api.workers import Local, Ray
    from nas.cli.output import notice
    from nas.errors import UserError
    from nas.executors import executors
    from nas.executors.settings import RAY
    from nas.executors.silence import DEFAULT_HANG_SECONDS
    from nas.units import parse_seconds

    executors[executor]
    hang_seconds = DEFAULT_HANG_SECONDS if hang_time is None else parse_seconds(hang_time)
    if executor != RAY:
        given = {
            "--ray-address": ray_address,
            "--cpus-per-worker": cpus_per_worker,
            "--gpus-per-worker": gpus_per_worker,
            "--resource": resource or None,
            "--measure-on": measure_on,
        }
        said = [option for option, value in given.items() if value is not None]
        if said:
            raise UserError(f"{', '.join(said)}: only workers on Ray have that; add --executor ray, or leave it out")
        return Local(workers, device, hang_seconds).settings()
    if measure_on is not None and ray_address is None:
        raise UserError(
            f"--measure-on {measure_on}: a Ray of this machine alone has no such resource; name the cluster that has "
            "it by --ray-address"
        )
    if ray_address is not None:
        notice(f"Connecting to the Ray cluster at {ray_address}")
    staff = Ray(
        ray_address,
        workers,
        cpus_per_worker=1.0 if cpus_per_worker is None else cpus_per_worker,
        gpus_per_worker=gpus_per_worker or 0.0,
        resources=_amounts(resource or ()),
        hang_seconds=hang_seconds,
        measure_on=measure_on,
    )
    place = "cuda" if staff.gpus_per_worker else "cpu"
    if device not in ("auto", place):
        raise UserError(
            f"--device {device}: workers on Ray train on what they are given; that is {place} with --gpus-per-worker "
            f"{staff.gpus_per_worker:g}"
        )
    return staff.settings()


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
