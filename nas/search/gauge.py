"""The latencies of a search's candidates: each is measured before it is trained, alone on a core, and kept.

What the ledger knows is not measured again, so that a search that was killed while measuring loses no more than the
measurement under way.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from nas.architecture import Architecture
from nas.cost.budget import profile_of
from nas.errors import NasError, UserError
from nas.executors.settings import LOCAL, ExecutorSettings
from nas.ledger import Ledger
from nas.measure.latencies import latest, task_of
from nas.measure.prediction.forecast import Forecast, Interval
from nas.measure.profile import NamedProfile, load_profile
from nas.measure.runtimes import runtimes
from nas.measure.session import key_of
from nas.records import LatencyRecord
from nas.task import Task

_POLL = 0.2  # seconds between signs of life while something is measured


class MeasuringError(NasError):
    """The process that measures has failed; what was measured so far is in the ledger."""


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
        *,
        core: int | None = None,
        is_apart: bool = False,
    ) -> None:
        """Nothing is started yet.

        Args:
            profiles: by metric, such as `latency@torch-cpu`.
            task: of the networks.
            ledger: where records are read and kept.
            core: to measure on, or None.
            is_apart: see above.

        Raises:
            RuntimeMissingError: one of the profiles cannot be measured here.
        """
        self.alive: Callable[[], None] = lambda: None
        self.is_apart = is_apart
        self._profiles = profiles
        self._tasks = {metric: task_of(named, task) for metric, named in profiles.items()}
        self._keys = {metric: key_of(named, self._tasks[metric]) for metric, named in profiles.items()}
        self._ledger = ledger
        self._core = core
        self._forecasts: dict[str, Forecast] = {}
        self._process: subprocess.Popen[str] | None = None

    @property
    def metrics(self) -> Sequence[str]:
        """The latencies it knows."""
        return tuple(self._profiles)

    def records(self, architecture: Architecture) -> dict[str, LatencyRecord]:
        """The record of an architecture by each profile, stable where that was to be had in two attempts.

        Raises:
            UserError: a profile's command does not do what it should.
            MeasuringError: the process that measures has died.
        """
        return {metric: self._record(metric, architecture) for metric in self._profiles}

    def foretold(self, metric: str, architecture: Architecture) -> Interval | None:
        """What a network that nobody has measured will take, where enough like it were; see `Forecast`."""
        key = self._keys[metric]
        if latest(self._ledger.latencies([architecture.id], key.profile), key, flagged=True):
            return None
        if metric not in self._forecasts:
            self._forecasts[metric] = Forecast(self._profiles[metric], key, self._tasks[metric], self._ledger)
        return self._forecasts[metric].predict(architecture)

    def known(self, metric: str) -> Mapping[str, LatencyRecord]:
        """What the ledger knows of a profile, by architecture."""
        key = self._keys[metric]
        return latest(self._ledger.latencies(profile=key.profile), key, flagged=True)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _record(self, metric: str, architecture: Architecture) -> LatencyRecord:
        key = self._keys[metric]
        # Flagged ones too: a search that goes on must not measure, and judge, a candidate anew.
        known = latest(self._ledger.latencies([architecture.id], key.profile), key, flagged=True)
        if known:
            return known[architecture.id]
        named, task = self._profiles[metric], self._tasks[metric]
        found = self._ask(
            {
                "name": named.name,
                "protocol": named.profile.canonical(),
                "architecture": architecture.to_dict(),
                "task": {"resolution": task.resolution, "classes": task.classes, "channels": task.channels},
            }
        )
        if "error" in found:
            raise UserError(f"profile {named.name!r}: {found['error']}")
        record = LatencyRecord.from_dict(found["record"])
        form = architecture.to_dict()
        self._ledger.save_latencies([record], {architecture.id: form})
        if metric in self._forecasts:
            self._forecasts[metric].learn(record, form)
        return record

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        process = self._process = self._process or self._started()
        if process.stdin is None or process.stdout is None:
            raise MeasuringError("the process that measures has no pipes")
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
        except OSError as error:
            raise MeasuringError(f"the process that measures has died: {error}") from error
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not selector.select(_POLL):
                self.alive()
        line = process.stdout.readline()
        if not line:
            raise MeasuringError("the process that measures has died; its last words are above")
        found: dict[str, Any] = json.loads(line)
        return found

    def _started(self) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "nas.measure.worker", *([] if self._core is None else [str(self._core)])]
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def gauging(
    profiles: Mapping[str, NamedProfile], task: Task, ledger: Ledger, settings: ExecutorSettings
) -> Iterator[Gauge | None]:
    """A gauge for the block, or None where nothing is to be measured.

    Where several trainings go on at a time, a core is set apart for it, which this process and the workers that are
    started in the block keep off; candidates are then measured ahead of the trainings. A single worker is waited for
    instead: nothing is trained while something is measured.

    Raises:
        UserError: there is no place where a measurement would be alone.
        RuntimeMissingError: one of the profiles cannot be measured here.
    """
    if not profiles:
        yield None
        return
    with _core_apart(profiles, settings) as core:
        gauge = Gauge(profiles, task, ledger, core=core, is_apart=not _takes_turns(settings))
        try:
            yield gauge
        finally:
            gauge.close()


@contextmanager
def _core_apart(profiles: Mapping[str, NamedProfile], settings: ExecutorSettings) -> Iterator[int | None]:
    here = [named for named in profiles.values() if named.profile.runtime != "command"]
    if not here or _takes_turns(settings):
        yield None
        return
    if settings.kind != LOCAL:
        raise UserError(
            f"profile {here[0].name!r} is measured on this machine, whose cores the executor {settings.kind!r} may "
            "share out as well; search with --executor local, or measure another machine by a profile with a command"
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


def require_profiles(metrics: Sequence[str]) -> dict[str, NamedProfile]:
    """The profile of each latency among some metrics.

    Raises:
        UserError: no such profile, or its file has problems.
        RuntimeMissingError: one cannot be measured here.
    """
    found = {metric: load_profile(profile) for metric in metrics if (profile := profile_of(metric)) is not None}
    for named in found.values():
        runtimes[named.profile.runtime].require(named.profile)
    return found
