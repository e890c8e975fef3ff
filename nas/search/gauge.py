"""The latencies of a search's candidates: each is measured before it is trained, alone on a core, and kept.

What the ledger knows is not measured again, so that a search that was killed while measuring loses no more than the
measurement under way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from nas.architecture import Architecture
from nas.cost.budget import profile_of
from nas.errors import UserError
from nas.executors.ray_meter import RayMeter
from nas.executors.settings import LOCAL, ExecutorSettings
from nas.ledger import Ledger
from nas.measure.latencies import latest, task_of
from nas.measure.meter import Alive, Meter, ProcessMeter, ask_key, ask_record
from nas.measure.prediction.forecast import Forecast, Interval
from nas.measure.profile import NamedProfile, load_profile
from nas.measure.runtimes import runtimes
from nas.records import LatencyKey, LatencyRecord
from nas.task import Task


class Gauge:
    """Measures architectures by some profiles.

    Attributes:
        alive: called several times a second while something is measured; set by whoever drives.
        is_apart: whether it measures where nothing is trained, so that both may go on at a time.
    """

    def __init__(
        self,
        profiles: Mapping[str, NamedProfile],
        task: Task,
        ledger: Ledger,
        meter: Meter,
        *,
        is_apart: bool = False,
    ) -> None:
        """Nothing is measured yet.

        Args:
            profiles: by metric, such as `latency@torch-cpu`.
            task: of the networks.
            ledger: where records are read and kept.
            meter: who measures.
            is_apart: see above.
        """
        self.alive: Alive = lambda: None
        self.is_apart = is_apart
        self._profiles = profiles
        self._tasks = {metric: task_of(named, task) for metric, named in profiles.items()}
        self._ledger = ledger
        self._meter = meter
        self._keys: dict[str, LatencyKey] = {}
        self._forecasts: dict[str, Forecast] = {}

    @property
    def metrics(self) -> Sequence[str]:
        """The latencies it knows."""
        return tuple(self._profiles)

    def records(self, architecture: Architecture) -> dict[str, LatencyRecord]:
        """The record of an architecture by each profile, stable where that was to be had in two attempts.

        Raises:
            UserError: a profile cannot be measured there, or its command does not do what it should.
            MeasuringError: nobody can be made to measure.
        """
        return {metric: self._record(metric, architecture) for metric in self._profiles}

    def foretold(self, metric: str, architecture: Architecture) -> Interval | None:
        """What a network that nobody has measured will take, where enough like it were; see `Forecast`."""
        key = self._key(metric)
        if latest(self._ledger.latencies([architecture.id], key.profile), key, flagged=True):
            return None
        if metric not in self._forecasts:
            self._forecasts[metric] = Forecast(self._profiles[metric], key, self._tasks[metric], self._ledger)
        return self._forecasts[metric].predict(architecture)

    def known(self, metric: str) -> Mapping[str, LatencyRecord]:
        """What the ledger knows of a profile, by architecture."""
        key = self._key(metric)
        return latest(self._ledger.latencies(profile=key.profile), key, flagged=True)

    def shortage(self) -> str:
        """Why a measurement waits; see `Meter.shortage`."""
        return self._meter.shortage()

    def _key(self, metric: str) -> LatencyKey:
        """Asked for when it is needed: the device may be one of a cluster, whose node is waited for."""
        if metric not in self._keys:
            self._keys[metric] = ask_key(self._meter, self._profiles[metric], self._tasks[metric], self.alive)
        return self._keys[metric]

    def _record(self, metric: str, architecture: Architecture) -> LatencyRecord:
        key = self._key(metric)
        # Flagged ones too: a search that goes on must not measure, and judge, a candidate anew.
        known = latest(self._ledger.latencies([architecture.id], key.profile), key, flagged=True)
        if known:
            return known[architecture.id]
        record = ask_record(self._meter, architecture, self._profiles[metric], self._tasks[metric], self.alive)
        form = architecture.to_dict()
        self._ledger.save_latencies([record], {architecture.id: form})
        if metric in self._forecasts:
            self._forecasts[metric].learn(record, form)
        return record


@contextmanager
def gauging(
    profiles: Mapping[str, NamedProfile], task: Task, ledger: Ledger, settings: ExecutorSettings
) -> Iterator[Gauge | None]:
    """A gauge for the block, or None where nothing is to be measured.

    Where several trainings go on at a time, a core is set apart for it, which this process and the workers that are
    started in the block keep off; candidates are then measured ahead of the trainings. A single worker is waited for
    instead: nothing is trained while something is measured. On Ray, a whole node with a resource that the settings
    name is set apart.

    Raises:
        UserError: there is no place where a measurement would be alone.
        NasError: there is no connection to Ray.
    """
    require_use(settings, profiles)
    if not profiles:
        yield None
        return
    with _meter(profiles, settings) as meter:
        yield Gauge(profiles, task, ledger, meter, is_apart=not _takes_turns(settings))


def require_use(settings: ExecutorSettings, profiles: Mapping[str, NamedProfile]) -> None:
    """Refuse settings that set a node apart for measurements where there are none; raises UserError."""
    if settings.measure_on is not None and not profiles:
        raise UserError(
            f"nothing of this study is measured on {settings.measure_on}; give it a budget in milliseconds, such as "
            "8ms@torch-cpu, or leave --measure-on out"
        )


@contextmanager
def _meter(profiles: Mapping[str, NamedProfile], settings: ExecutorSettings) -> Iterator[Meter]:
    with ExitStack() as stack:
        meter: Meter
        if settings.measure_on is not None:
            meter = RayMeter(settings.measure_on, address=settings.address)
        else:
            meter = ProcessMeter(stack.enter_context(_core_apart(profiles, settings)))
        stack.callback(meter.close)
        yield meter


@contextmanager
def _core_apart(profiles: Mapping[str, NamedProfile], settings: ExecutorSettings) -> Iterator[int | None]:
    here = [named for named in profiles.values() if named.profile.runtime != "command"]
    if not here or _takes_turns(settings):
        yield None
        return
    if settings.kind != LOCAL:
        raise UserError(
            f"profile {here[0].name!r} is measured on this machine, whose cores the executor {settings.kind!r} may "
            "share out as well; name a resource of the nodes that are to measure (--measure-on device:jetson), search "
            "with --executor local, or measure another machine by a profile with a command"
        )
    busy = next((named for named in here if named.profile.device == "cuda" and settings.device == "cuda"), None)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if busy is not None or len(cores) < 2:
        where = "the GPU" if busy is not None else "the only core"
        raise UserError(f"trainings would share {where} with the measurements; give --workers 1, then they take turns")
    core = max(cores)
    os.sched_setaffinity(0, cores - {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, cores)


def _takes_turns(settings: ExecutorSettings) -> bool:
    """Whether there is one worker, on this machine: what is measured there is measured while nothing is trained."""
    return settings.kind == LOCAL and settings.workers_for(None) == 1


def require_profiles(metrics: Sequence[str], *, here: bool = True) -> dict[str, NamedProfile]:
    """The profile of each latency among some metrics.

    Args:
        metrics: some.
        here: whether it is this machine that is to measure them.

    Raises:
        UserError: no such profile, or its file has problems.
        RuntimeMissingError: one cannot be measured here.
    """
    found = {metric: load_profile(profile) for metric in metrics if (profile := profile_of(metric)) is not None}
    for named in found.values() if here else ():
        runtimes[named.profile.runtime].require(named.profile)
    return found
