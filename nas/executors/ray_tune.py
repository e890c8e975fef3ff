"""Ray Tune for trainings with rungs: it places them, and goes on with those that it is told to go on with.

Nothing that has to last is left to Tune. Whoever calls keeps every result before it is used, says which trainings go
on, and gives what is left to a new run; so a driver, a worker or a node that is lost costs what was under way, and
Tune's own files are thrown away. (Its own ways are no use here: `Tuner.restore` trains again what is finished,
`Tuner.fit` pickles its scheduler and returns from Ctrl-C as if all were done.)
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, cast

from nas.errors import NasError, UserError
from nas.executors.base import Work
from nas.executors.channel import job_from_dict, job_to_dict
from nas.executors.ray_cluster import Cluster
from nas.executors.ray_needs import Needs
from nas.executors.shipping import Decoded, Parcel, unpack
from nas.executors.version import code_version
from nas.executors.worker import limit_threads, perform, pickled
from nas.records import Evaluation, Job

import ray  # isort: skip
from ray import tune  # isort: skip  # after `ray_cluster`, which sees to it that nothing is reported to anybody
from ray.tune.error import TuneError
from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler

_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no files of results: the ledger has them
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is an exception, as everywhere else
    "RAY_AIR_NEW_OUTPUT": "0",  # the older reporter can be silent
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # paths are those of the driver
}
_ROOM_SECONDS = 600.0
_CHORE_SECONDS = 1.0  # between looks at which nodes there are
_TIME, _METRIC = "rung", "accuracy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """One training on its way up.

    Attributes:
        number: unlike any other's.
        jobs: one for every rung that is left, from the lowest to the last.
    """

    number: int
    jobs: tuple[Job, ...]


class Referee(Protocol):
    """Who keeps what comes of climbs and decides about them; called in the driver, by one thread."""

    def begin(self, number: int) -> None:
        """A worker begins with a climb."""
        ...

    def judge(self, number: int, evaluation: Evaluation) -> bool:
        """Keep the evaluation of a climb's next rung, and say whether it goes on if there is one more."""
        ...

    def turn(self) -> None:
        """Called several times a second."""
        ...


class Halving:
    """Asynchronous successive halving (ASHA, arXiv:1810.05934) by Tune's scheduler, one bracket a group.

    It is the variant that stops: at every rung but the last, a training whose accuracy is below the best `1 /
    reduction` of those that came there before it does not go on. The first of a group to come to a rung always does.
    The same results in the same order are decided about in the same way, whenever they are told.
    """

    def __init__(self, *, rungs: int, reduction: int) -> None:
        """Nobody has come to any of the `rungs`."""
        self._rungs, self._reduction = rungs, reduction
        self._groups: dict[str, AsyncHyperBandScheduler] = {}
        self._known: set[tuple[str, int]] = set()

    def goes_on(self, group: str, number: int, rung: int, accuracy: float) -> bool:
        """Take note of an accuracy at a rung and say whether the training goes on.

        Args:
            group: trainings are compared within it.
            number: of the training, unlike any other's of the group.
            rung: from 0.
            accuracy: the larger the better.
        """
        if group not in self._groups:
            # Tune spaces its rungs by powers of the reduction; ours are where the recipe says, so they are renamed.
            self._groups[group] = AsyncHyperBandScheduler(
                time_attr=_TIME,
                metric=_METRIC,
                mode="max",
                grace_period=1,
                max_t=self._reduction ** (self._rungs - 1),
                reduction_factor=self._reduction,
            )
        scheduler, trial = self._groups[group], cast(Trial, _Named(str(number)))
        if (group, number) not in self._known:
            self._known.add((group, number))
            scheduler.on_trial_add(_NOBODY, trial)
        result = {_TIME: self._reduction**rung, _METRIC: accuracy}
        return scheduler.on_trial_result(_NOBODY, trial, result) != TrialScheduler.STOP


@dataclass(frozen=True, slots=True)
class _Named:
    """All that Tune's scheduler wants to know of a trial."""

    trial_id: str


_NOBODY: Any = None  # Tune's controller, which its scheduler never asks


class RayTune:
    """Workers on Ray that climb, by Tune; to be closed.

    Attributes:
        log_path: the file with all that Ray had to say to this process.
    """

    def __init__(
        self,
        work: Work,
        *,
        workers: int | None = None,
        needs: Needs | None = None,
        address: str | None = None,
        images: Sequence[Decoded] = (),
        room_seconds: float = _ROOM_SECONDS,
        log: Path | None = None,
    ) -> None:
        """Connect to Ray.

        Args:
            work: what a worker does with a job, as for `RayExecutor`.
            workers: climbs at a time; None for as many as there is room for.
            needs: what Ray sets aside for each.
            address: `auto`, `host:port`, or None, as for `RayExecutor`.
            images: decoded data sets in this machine's cache that the work reads; nodes that lack them get them.
            room_seconds: how long to wait for a node with room for a worker, while there is none.
            log: file for what Ray has to say; None for a new one in the temporary folder.

        Raises:
            ValueError: workers could not import the work.
            UserError: the cluster cannot be joined, or this machine alone has no room for a worker.
            NasError: a Ray on this machine does not start.
        """
        self._needs = needs or Needs()
        self._workers = workers
        self._work = pickled(work)
        self._room_seconds = room_seconds
        self._images = tuple(images)
        self._roomless_since: float | None = None
        self._cluster = Cluster(address, log=log, variables_for=self._needs)
        self.log_path = self._cluster.log_path
        if self._cluster.is_own and not self._has_room():
            self.close()
            raise UserError(f"this machine has no room for a worker of {self._needs}")

    def run(self, climbs: Sequence[Climb], referee: Referee) -> dict[int, str]:
        """Have them climb until each has come to its end, was not let on, failed, or lost its worker.

        Returns:
            Those that lost their worker, with what Ray said about it, if anything. They may be given to another run.

        Raises:
            NasError: workers cannot work, or there is no room for them.
            UserError: they have other code than the driver.
            ...: what the referee raised.
        """
        witness = _Witness(referee)
        watcher = _Watcher(witness, self._require_room)
        trainable = tune.with_parameters(
            _climb,
            requests={climb.number: [json.dumps(job_to_dict(job)) for job in climb.jobs] for climb in climbs},
            parcels=[parcel for one in self._images if (parcel := self._cluster.parcel(one)) is not None],
            pickled_work=self._work,
            version=code_version(),
            threads=self._needs.threads,
        )
        resources = {"cpu": self._needs.cpus, "gpu": self._needs.gpus, **self._needs.resources}
        with _settings(), tempfile.TemporaryDirectory(prefix="nas-tune-") as folder:
            try:
                tune.run(
                    tune.with_resources(trainable, resources),
                    name="refine",
                    config={"number": tune.grid_search([climb.number for climb in climbs])},
                    scheduler=_Asking(witness),
                    callbacks=[watcher],
                    max_concurrent_trials=self._workers,
                    reuse_actors=True,  # they have the data set, and on a GPU their context
                    storage_path=folder,
                    raise_on_failed_trial=False,
                    verbose=0,
                )
            except TuneError as error:
                raise witness.error or NasError(f"Ray Tune: {error}; there may be more in {self.log_path}") from None
        return watcher.lost

    def close(self) -> None:
        """End the connection, if it was made here, and with it all workers; may be called twice."""
        self._cluster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

    def _has_room(self) -> bool:
        return any(map(self._needs.room, self._cluster.nodes()))

    def _require_room(self) -> None:
        now = time.monotonic()
        if self._has_room():
            self._roomless_since = None
        elif self._roomless_since is None:
            self._roomless_since = now
        elif now - self._roomless_since > self._room_seconds:
            raise NasError(f"no node had room for a worker of {self._needs} for {self._room_seconds:g} s")


class _Witness:
    """A referee that remembers what it raised, which Tune turns into words."""

    def __init__(self, referee: Referee) -> None:
        self._referee = referee
        self.error: Exception | None = None

    @contextmanager
    def _remembering(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.error = error
            raise

    def begin(self, number: int) -> None:
        with self._remembering():
            self._referee.begin(number)

    def judge(self, number: int, result: Mapping[str, Any]) -> bool:
        with self._remembering():
            if "refused" in result:
                raise _refusal(result)
            return self._referee.judge(number, Evaluation.from_dict(json.loads(result["evaluation"])))

    def turn(self) -> None:
        with self._remembering():
            self._referee.turn()


class _Asking(FIFOScheduler):
    """A scheduler that leaves every decision to a referee, and the order to Tune."""

    def __init__(self, witness: _Witness) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._witness = witness

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        goes_on = self._witness.judge(trial.config["number"], result)
        return TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP


class _Watcher(tune.Callback):
    """What Tune says on the way.

    Attributes:
        lost: reasons of those that lost their worker, by number.
    """

    def __init__(self, witness: _Witness, chore: Callable[[], None]) -> None:
        self._witness, self._chore, self._due = witness, chore, 0.0
        self.lost: dict[int, str] = {}

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._witness.begin(trial.config["number"])

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        said = Path(trial.error_file or "")  # Tune's own getters look where the file will be later
        self.lost[trial.config["number"]] = said.read_text(encoding="utf-8").strip() if said.is_file() else ""

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        self._witness.turn()
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _CHORE_SECONDS
            self._chore()


def _climb(
    config: Mapping[str, Any],
    *,
    requests: Mapping[int, Sequence[str]],
    parcels: Sequence[Parcel],
    pickled_work: bytes,
    version: str,
    threads: int,
) -> None:
    """A worker's part: one job after the other, each reported before the next is begun."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    try:
        if code_version() != version:
            tune.report({"refused": "code", "worker": name, "own": code_version(), "asked": version})
            return
        work: Work = pickle.loads(pickled_work)
        jobs = [job_from_dict(json.loads(request)) for request in requests[config["number"]]]
        for parcel in parcels:
            if not parcel.content.is_here():
                unpack(parcel, ray.get)
    except Exception:
        tune.report({"refused": "start", "worker": name, "trace": traceback.format_exc()})
        return
    for job in jobs:
        limit_threads(threads)
        result = perform(work, job, report=_unheard, worker=name)
        tune.report({"evaluation": json.dumps(result)})
        if result["failure"] is not None:
            return


def _unheard(fraction: float) -> None:
    """Tune has no place for the progress between two reports."""


def _refusal(result: Mapping[str, Any]) -> NasError:
    if result["refused"] == "code":
        return UserError(
            f"the worker {result['worker']} has nas {result['own']}, this program {result['asked']}; results of "
            "different code must not meet in one study: install the same code on every node"
        )
    return NasError(f"the worker {result['worker']} cannot work:\n{result['trace']}")


@contextmanager
def _settings() -> Iterator[None]:
    """Tune's settings, which it reads from the environment, for a while."""
    before = {name: os.environ.get(name) for name in _SETTINGS}
    os.environ.update(_SETTINGS)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
