"""Latencies from the ledger, measured where it has none: nothing is measured twice on one device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nas.architecture import Architecture
from nas.errors import UserError
from nas.ledger import Ledger
from nas.measure.profile import NamedProfile
from nas.measure.runtimes import RuntimeMissingError
from nas.measure.session import Progress, key_of, measure
from nas.records import LatencyKey, LatencyRecord
from nas.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record, and whether it was there already."""

    record: LatencyRecord
    was_known: bool


def task_of(named: NamedProfile, task: Task, *, resolution: int | None = None) -> Task:
    """The task that networks are measured for: the profile's resolution, where it has one, stands above the task's.

    Raises:
        UserError: `resolution` was asked for beside a profile that fixes another one.
    """
    fixed = named.profile.resolution
    if fixed is not None and resolution not in (None, fixed):
        raise UserError(
            f"profile {named.name!r} fixes the resolution {fixed}; leave --resolution out, or use a profile without"
        )
    return Task(resolution=fixed or resolution or task.resolution, classes=task.classes, channels=task.channels)


def latencies(
    architectures: Sequence[Architecture],
    named: NamedProfile,
    task: Task,
    ledger: Ledger,
    *,
    fresh: bool = False,
    flagged: bool = False,
    progress: Progress = lambda message: None,
) -> list[Found]:
    """The record of each architecture: the latest stable one of this machine, or a new measurement, which is kept.

    Where the profile cannot be measured, records of the one device that the ledger knows serve as well.

    Args:
        architectures: some; equal ones are measured once.
        named: the profile.
        task: of the networks.
        ledger: where records are read and kept.
        fresh: measure all of them anew.
        flagged: let an unstable record of before stand, where there is no stable one, instead of measuring again.
        progress: told what is going on.

    Raises:
        RuntimeMissingError: the profile cannot be measured here, and the ledger has not all records of one device.
        CommandError: the profile's command does not do what it should.
    """
    distinct = {one.id: one for one in architectures}
    try:
        key = key_of(named, task)
    except RuntimeMissingError as error:
        if fresh:
            raise
        return _of_another_device(architectures, named, task, ledger, error)
    known = {} if fresh else latest(ledger.latencies(distinct, named.id), key, flagged=flagged)
    missing = [one for identity, one in distinct.items() if identity not in known]
    measured = {one.architecture_id: one for one in measure(missing, named, task, progress=progress)} if missing else {}
    ledger.save_latencies(list(measured.values()), {one.id: one.to_dict() for one in missing})
    return [
        Found(record=measured.get(one.id) or known[one.id], was_known=one.id not in measured) for one in architectures
    ]


def latest(records: Iterable[LatencyRecord], key: LatencyKey, *, flagged: bool = False) -> dict[str, LatencyRecord]:
    """By architecture, the last record under a key that is stable, or says why there is no latency.

    Args:
        records: oldest first.
        key: that they must have.
        flagged: where there is no stable one, give the last unstable one.
    """
    comparable = [one for one in records if one.key == key]
    stable = {one.architecture_id: one for one in comparable if not one.unstable}
    return {**{one.architecture_id: one for one in comparable}, **stable} if flagged else stable


def _of_another_device(
    architectures: Sequence[Architecture],
    named: NamedProfile,
    task: Task,
    ledger: Ledger,
    missing: RuntimeMissingError,
) -> list[Found]:
    wanted = {one.id for one in architectures}
    records = [one for one in ledger.latencies(wanted, named.id) if _is_for(one.key, task)]
    for key in {one.key: None for one in reversed(records)}:
        known = latest(records, key)
        if wanted <= known.keys():
            return [Found(record=known[one.id], was_known=True) for one in architectures]
    raise RuntimeMissingError(f"profile {named.name!r} cannot be measured here, and the ledger has no records of it "
                              f"for all these architectures: {missing}") from missing  # fmt: skip


def _is_for(key: LatencyKey, task: Task) -> bool:
    return (key.resolution, key.channels, key.classes) == (task.resolution, task.channels, task.classes)
