"""Jobs on the nodes of a Ray cluster: long-lived workers that come and go with the nodes, and no job that disappears.

Every worker is an actor that takes one job at a time and keeps what its process has: the data set, the CUDA context.
Jobs wait here, in the driver, until a worker is ready for one, so those that wait are never lost. A worker's pulse is
always under way: it brings the progress of the job, fails at once when the worker ends, and stays away when that hangs.
"""

from __future__ import annotations

import inspect
import json
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nas.errors import NasError, UserError
from nas.executors.base import Executor, Finished, Work, busy_worker, executors
from nas.executors.bookkeeping import Bookkeeping, lost
from nas.executors.channel import job_to_dict
from nas.executors.image_transfer import Decoded, ImageTransfer
from nas.executors.ray_needs import Needs
from nas.executors.ray_nodes import NodeWatch, no_answer
from nas.executors.silence import CHORE_SECONDS, DEFAULT_HANG_SECONDS, PULSE_SECONDS, HangRule, Silence
from nas.executors.version import code_version, other_code
from nas.executors.worker import pickled
from nas.pulse import WorkerState
from nas.records import Evaluation, Job

if TYPE_CHECKING:
    from nas.executors.ray_cluster import Call, RayWorker

_HEAD_SECONDS = 30.0  # for a look at the nodes; after 60 Ray itself ends a process that cannot reach its head
_PLACE_SECONDS = 10.0  # a worker that has no process after so long has no place
_START_SECONDS = 60.0  # a process may take from its place to its first pulse; as long as Ray lets it take up to there
_PULSES_PER_SECOND = 50  # of all workers together, at a millisecond each


@dataclass(slots=True, eq=False)
class _Flight:
    """A job under way: it waits for a worker, or has one."""

    job: Job
    request: str
    worker: _Worker | None = None
    sent: float = 0.0  # when its worker got it, on the monotonic clock
    fraction: float = 0.0
    heard: float = 0.0  # when its work last said how far it is


@dataclass(slots=True, eq=False)
class _Worker:
    """One actor, from its order to its end.

    Attributes:
        actor: the handle on it.
        name: its host:pid once it is ready for jobs.
        is_placed: whether it has a process: it was heard of, or the cluster's head says so; until then it may be
            waiting for a node with room.
        silence: how long it has said nothing.
        unplaced: seconds that the driver has listened before it was placed.
        idle_since: when it last had a job, on the monotonic clock.
        flight: the job it does.
        calls: those it has not answered yet.
    """

    actor: RayWorker
    name: str = ""
    is_placed: bool = False
    silence: Silence = field(default_factory=Silence)
    unplaced: float = 0.0
    idle_since: float = 0.0
    flight: _Flight | None = None
    calls: set[Call] = field(default_factory=set)

    def state(self, now: float) -> WorkerState:
        """What it does at this time, on the monotonic clock."""
        if self.flight is None:
            return WorkerState(name=self.name)
        flight = self.flight
        return busy_worker(
            self.name, flight.job, seconds=now - flight.sent, fraction=flight.fraction, silent=now - flight.heard
        )


@executors.register("ray")
class RayExecutor(Executor):
    """Workers on Ray: on this machine alone, or on every node of a cluster.

    `workers` of them are asked for, or as many as the cluster's nodes have room for. More than there is room for there
    never are; some appear when nodes join, and the work of those that leave comes back as lost. Ray restarts nothing
    and repeats nothing: a lost worker is replaced here, so that every submitted job comes back exactly once and every
    loss is seen. On a cluster that others use, too, a worker without a job gives its place back after a while, and is
    asked for anew with the next job.

    Attributes:
        log_path: the file with all that Ray had to say to this process; it names the folder of the workers' output.
            None once all is over and went well, where nobody named a file: then both are removed.
    """

    def __init__(
        self,
        work: Work,
        *,
        workers: int | None = 2,
        most: int | None = None,
        cpus_per_worker: float = 1.0,
        gpus_per_worker: float = 0.0,
        resources: Mapping[str, float] | None = None,
        address: str | None = None,
        images: Sequence[Decoded] = (),
        hang_seconds: float = DEFAULT_HANG_SECONDS,
        room_seconds: float = 600.0,
        idle_seconds: float = 60.0,
        log: Path | None = None,
    ) -> None:
        """Connect to Ray and ask for the workers; does not wait for them.

        Args:
            work: what a worker does with a job; a function at the top level of a module that every node can import, or
                a `partial` of one. An argument `device` of it is 'cuda' for workers with a GPU, else 'cpu'.
            workers: how many to have where there is room for them, each with one job at a time; None for as many as
                there ever is room for.
            most: how many at most, where `workers` is None.
            cpus_per_worker: cores set aside for each; also its threads of torch and other numeric libraries.
            gpus_per_worker: GPUs set aside for each: a fraction, which shares one, or a whole number.
            resources: custom resources of the cluster set aside for each worker.
            address: `auto` for the cluster this machine belongs to, `host:port` for another; None for the Ray this
                process is connected to, or else one started on this machine, which ends with the executor.
            images: decoded data sets in this machine's cache; a node that lacks one gets it, once, before its workers
                are given jobs. One that is not in the cache cannot be sent, and the work has to find it by itself.
            hang_seconds: a worker that says nothing for so long, not even that it lives, is killed and replaced; so is
                one whose job has stopped reporting, where that is unlike the pauses seen so far (`HangRule`).
            room_seconds: how long to wait for a node with room for a worker, while there is none.
            idle_seconds: a worker of a joined cluster that has had no job for so long ends.
            log: file for what Ray has to say; None for a new one in the temporary folder.

        Raises:
            ValueError: a number is out of range, or workers could not import the work.
            UserError: nobody could have what a worker is to have; the work is to run on a device that its workers will
                not have; the cluster cannot be joined, or this machine alone has no room for a single worker.
            NasError: a Ray on this machine does not start.
        """
        if any(count is not None and count < 1 for count in (workers, most)) or min(room_seconds, idle_seconds) < 0:
            raise ValueError(
                "workers must be at least 1 and times positive, "
                f"got {workers}, at most {most}, {room_seconds} and {idle_seconds}"
            )
        self._rule = HangRule(hang_seconds)
        from nas.executors.ray_cluster import Cluster  # Ray takes a second to import

        self._needs = Needs(cpus=cpus_per_worker, gpus=gpus_per_worker, resources=resources or {})
        self._work = pickled(_on_device(work, "cuda" if gpus_per_worker else "cpu"))
        self._room_seconds = room_seconds
        self._idle_seconds = idle_seconds
        self._asked = workers
        self._most = math.inf if most is None else most
        self._images = tuple(images)
        self._transfers: dict[Decoded, ImageTransfer | None] = {}
        self._version = code_version()
        self._flights: dict[str, _Flight] = {}
        self._waiting: deque[_Flight] = deque()
        self._idle: deque[_Worker] = deque()
        self._books = Bookkeeping()
        self._expected: dict[Call, tuple[_Worker, Callable[[_Worker, Any], None]]] = {}
        self._workers: set[_Worker] = set()
        self._given_back = 0  # workers that ended for want of jobs
        self._is_eventful = False  # whether a worker was lost
        self._cluster = Cluster(address, log=log)
        try:
            self._head = self._cluster.address
            self._watch = self._first_look()
            self._roomless = 0.0  # seconds listened without room for anybody
            if self._cluster.is_own and not self._room:
                raise UserError(
                    f"this machine has no room for a worker of {self._needs}; {self._watch.latest.describe()}"
                )
            self._scale()
            self._rule.listened()
        except BaseException:
            self._end(keep_log=False)
            raise

    @property
    def log_path(self) -> Path | None:
        """See the class."""
        return self._cluster.log_path

    @property
    def workers(self) -> int:
        """How many jobs can be under way at the same time, as of the last `completed`; at least one may always wait."""
        return max(1, min(len(self._workers) + self._given_back, self._room) - self._placeless)

    @property
    def capacity(self) -> int:
        """How many jobs `submit` accepts right now."""
        return 0 if self._books.is_closed else max(0, self.workers - len(self._flights))

    def submit(self, job: Job) -> None:
        """Hand a job to a free worker; see `Executor.submit`."""
        self._books.require_open()
        if job.id in self._flights:
            raise ValueError(f"job {job.id!r} is under way already")
        if not self.capacity:
            raise RuntimeError(f"all {self.workers} workers are busy; submit no more jobs than `capacity`")
        flight = _Flight(job, json.dumps(job_to_dict(job)))
        self._flights[job.id] = flight
        self._waiting.append(flight)
        if self._given_back and not self._idle:
            self._given_back -= 1
            self._scale()
        self._dispatch()

    def completed(self, timeout: float) -> list[Finished]:
        """The jobs that ended since the last call; see `Executor.completed`.

        Raises:
            UserError: a worker has other code than the driver.
        """
        return self._books.collect(timeout, self._listen, lambda: bool(self._flights))

    def progress(self) -> Mapping[str, float]:
        """The fraction done of every job under way, by job id, as of the last `completed`."""
        return {job_id: flight.fraction for job_id, flight in self._flights.items()}

    def worker_states(self) -> Sequence[WorkerState]:
        """The actors that are ready for jobs; see `Executor.worker_states`."""
        now = time.monotonic()
        return [] if self._books.is_closed else [worker.state(now) for worker in self._workers if worker.name]

    def shortage(self) -> str:
        """Who has the room that a worker is to have; see `Executor.shortage`."""
        if self._books.is_closed or self._given_back or any(worker.is_placed for worker in self._workers):
            return ""
        if not self._room:
            return f"no node has {self._needs}; {self._watch.latest.describe()}"
        if not self._placeless:
            return ""
        return f"all room for one of {self._needs} is in use by others ({self._watch.latest.describe_use()})"

    def cancel(self, job_id: str) -> None:
        """Stop a job by ending its worker; see `Executor.cancel`."""
        self._books.forget(job_id)
        flight = self._flights.pop(job_id, None)
        if flight is None:
            return
        if flight.worker is None:
            self._waiting.remove(flight)
        else:
            self._replace(flight.worker)

    def close(self) -> None:
        """Kill every worker, whatever it does, and end the connection if it was made here; may be called twice."""
        self._end(keep_log=True)

    def _end(self, *, keep_log: bool) -> None:
        if self._books.is_closed:
            return
        self._books.is_closed = True
        for worker in self._workers:
            worker.actor.kill()
        self._expected.clear()
        self._flights.clear()
        self._cluster.close(keep_log=keep_log)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close it, and forget what Ray has said if all went well."""
        self._end(keep_log=kind is not None or self._is_eventful)

    # Jobs.

    def _dispatch(self) -> None:
        while self._waiting and self._idle:
            flight, worker = self._waiting.popleft(), self._idle.popleft()
            flight.worker, worker.flight = worker, flight
            flight.sent = flight.heard = time.monotonic()
            worker.silence.begin()
            self._expect(worker, worker.actor.run(flight.request), self._take_evaluation)

    def _take_evaluation(self, worker: _Worker, evaluation: str) -> None:
        self._finish(worker, Evaluation.from_dict(json.loads(evaluation)))
        self._rest(worker)

    def _finish(self, worker: _Worker, evaluation: Evaluation) -> None:
        if worker.flight is not None:
            self._books.finish(worker.flight.job, evaluation)
            del self._flights[worker.flight.job.id]
            worker.flight = None

    # What workers have to say.

    def _listen(self, timeout: float) -> None:
        ended = self._cluster.ended(self._expected, min(timeout, CHORE_SECONDS))
        # Pulses last: a worker may have finished its job before it ended.
        for call in sorted(ended, key=lambda call: self._expected[call][1] == self._take_pulse):
            if call in self._expected:  # else forgotten with a worker that another call of the same moment told of
                self._hear(call)
        self._do_chores()

    def _hear(self, call: Call) -> None:
        from nas.executors.ray_cluster import CallFailed

        worker, take = self._expected.pop(call)
        worker.calls.remove(call)
        try:
            answer = self._cluster.outcome(call)
        except CallFailed as error:
            self._handle_exit(worker, "ended", str(error))
        else:
            take(worker, answer)

    def _expect(self, worker: _Worker, call: Call, take: Callable[[_Worker, Any], None]) -> None:
        worker.calls.add(call)
        self._expected[call] = worker, take

    def _take_greeting(self, worker: _Worker, greeting: Mapping[str, Any]) -> None:
        if greeting["version"] != self._version:
            self._books.error = other_code(greeting["worker"], greeting["version"], self._version)
            return
        transfers = [transfer for transfer in map(self._transfer, greeting["lacks"]) if transfer is not None]
        if transfers:
            self._expect(worker, worker.actor.receive(transfers), self._take_name)
        else:
            self._take_name(worker, greeting["worker"])

    def _transfer(self, number: int) -> ImageTransfer | None:
        """The images of this number, put where every node can get them when the first one lacks them."""
        content = self._images[number]
        if content not in self._transfers:
            self._transfers[content] = self._cluster.transfer(content)
        return self._transfers[content]

    def _take_name(self, worker: _Worker, name: str) -> None:
        worker.name = name
        self._books.worker_started()
        self._rest(worker)

    def _rest(self, worker: _Worker) -> None:
        """Have a worker take the next job, or wait for one."""
        worker.idle_since = time.monotonic()
        self._idle.append(worker)
        self._dispatch()

    def _take_pulse(self, worker: _Worker, pulse: tuple[str, float, float, int]) -> None:
        job_id, fraction, silent, reports = pulse
        worker.is_placed = True
        worker.silence.break_off()
        if worker.flight is not None and worker.flight.job.id == job_id:
            worker.flight.fraction, worker.flight.heard = fraction, time.monotonic() - silent
            self._rule.report(worker.silence, reports, fraction)
        self._expect(worker, worker.actor.pulse(self._pulse_seconds), self._take_pulse)

    @property
    def _pulse_seconds(self) -> float:
        return max(PULSE_SECONDS, len(self._workers) / _PULSES_PER_SECOND)

    # Workers and nodes.

    def _do_chores(self) -> None:
        """See who is silent and what room there is, now and then."""
        passed = self._rule.listened()
        if passed:
            self._end_stuck(passed)
            self._survey(passed)
            self._give_back()

    def _end_stuck(self, passed: float) -> None:
        for worker in list(self._workers):
            if not worker.is_placed:
                worker.unplaced += passed
                continue
            ending = self._rule.wait(worker.silence, passed, pulse_seconds=self._pulse_seconds)
            if ending is not None:
                self._handle_exit(worker, ending, "")

    def _survey(self, passed: float) -> None:
        """See what the nodes have; a look that does not come back is the end, before Ray itself ends this process."""
        waited = self._watch.refresh(workers=not all(worker.is_placed for worker in self._workers))
        if waited > _HEAD_SECONDS:
            self._books.error = no_answer(self._head, _HEAD_SECONDS)
        if waited > CHORE_SECONDS:
            return  # to ask for workers would wait for the head, too
        self._place()
        self._scale()
        self._roomless = 0.0 if self._room else self._roomless + passed
        if self._roomless > self._room_seconds:
            self._books.error = NasError(
                f"no node had room for a worker of {self._needs} for {self._room_seconds:g} s; "
                f"{self._watch.latest.describe()}"
            )

    def _place(self) -> None:
        """From now on a worker with a process has to be heard of."""
        for worker in self._workers:
            if not worker.is_placed and worker.actor.id in self._watch.latest.started:
                worker.is_placed = True
                worker.silence.start = _START_SECONDS

    def _first_look(self) -> NodeWatch:
        try:
            return NodeWatch(self._cluster.nodes, patience=_HEAD_SECONDS)
        except TimeoutError:
            raise NasError(
                f"the head of the Ray cluster at {self._head} did not answer for {_HEAD_SECONDS:g} s"
            ) from None

    @property
    def _room(self) -> int:
        """How many workers all nodes together have room for, whoever uses it."""
        return sum(map(self._needs.room, self._watch.latest.whole))

    @property
    def _placeless(self) -> int:
        """How many workers have waited for a place for longer than a start takes, while others use the room."""
        if any(map(self._needs.room, self._watch.latest.free)):
            return 0
        return sum(not worker.is_placed and worker.unplaced > _PLACE_SECONDS for worker in self._workers)

    def _give_back(self) -> None:
        """End the workers that have had nothing to do for long, for the sake of others on the cluster."""
        if self._cluster.is_own:
            return
        now = time.monotonic()
        for worker in [one for one in self._idle if now - one.idle_since > self._idle_seconds]:
            self._given_back += 1
            self._remove(worker)

    def _scale(self) -> None:
        """Have as many workers as there are to be; those without room wait for it."""
        wanted = self._asked or max(1, min(self._room, self._most))
        while len(self._workers) < wanted - self._given_back:
            self._start_worker()

    def _start_worker(self) -> None:
        worker = _Worker(self._cluster.start(self._work, self._needs))
        self._workers.add(worker)
        self._expect(worker, worker.actor.greet(self._version, self._images), self._take_greeting)
        self._expect(worker, worker.actor.pulse(0.0), self._take_pulse)

    def _handle_exit(self, worker: _Worker, ending: str, output: str) -> None:
        """Account for a worker that is no longer of use, and put another one in its place."""
        self._is_eventful = True
        if worker.name:
            self._lose(worker, ending, output)
        else:
            report = f"the last one {ending}\n{output}".rstrip()
            if self._books.start_failed("workers", f"{report}\nThere may be more in {self.log_path}"):
                return
        self._replace(worker)

    def _lose(self, worker: _Worker, ending: str, output: str) -> None:
        """Finish the job of a worker, if it had one."""
        if worker.flight is not None:
            flight = worker.flight
            self._finish(worker, lost(flight.job, worker=worker.name, sent=flight.sent, ending=ending, output=output))

    def _replace(self, worker: _Worker) -> None:
        self._remove(worker)
        self._scale()

    def _remove(self, worker: _Worker) -> None:
        for call in worker.calls:
            del self._expected[call]
        self._workers.remove(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        worker.actor.kill()


def _on_device(work: Work, device: str) -> Work:
    """The work on the device that its worker has, where it lets one choose; raises UserError if it chose another."""
    function: Callable[..., Evaluation] = work
    if "device" not in inspect.signature(function).parameters:
        return work
    chosen = function.keywords.get("device", device) if isinstance(function, partial) else device
    if chosen != device:
        raise UserError(f"the work is to run on {chosen!r}, but with this gpus_per_worker its workers have {device!r}")
    return partial(function, device=device)
