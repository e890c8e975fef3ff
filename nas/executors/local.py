"""Jobs in processes of this machine: long-lived workers, forked from a server that has everything imported."""

from __future__ import annotations

import itertools
import selectors
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from nas.errors import NasError
from nas.executors.base import Executor, Finished, Work, busy_worker, executors
from nas.executors.bookkeeping import Bookkeeping, lost
from nas.executors.channel import Channel, Message, encode, job_to_dict
from nas.executors.forkserver import ENDED, ForkServer, describe_exit
from nas.executors.log import Log
from nas.executors.silence import CHORE_SECONDS, DEFAULT_HANG_SECONDS, HangRule, Silence
from nas.executors.worker import pickled
from nas.pulse import WorkerState
from nas.records import Evaluation, Job
from nas.units import format_seconds

_WHAT = "worker processes"
LOADING_SECONDS = 600.0  # to import what workers need; torch takes a minute or two from a slow file server
PRELOADED = ("nas.evaluate.proxy", "torch._dynamo")  # the second takes the first optimizer of a process a second or two
_KILL_SECONDS = 30.0  # from the order to kill a worker to its end; no news by then means that the server is stuck


@dataclass(slots=True, eq=False)
class _Worker:
    """One process.

    Attributes:
        key: how the fork server knows it.
        channel: the way to it.
        name: its host:pid once it is ready for jobs.
        silence: how long it has said nothing.
        ending: why it was killed, where it was for being stuck.
        dying: seconds since the server was told to kill it, where it was.
    """

    key: int
    channel: Channel
    name: str = ""
    silence: Silence = field(default_factory=Silence)
    ending: str = ""
    dying: float | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it can be sent a job."""
        return bool(self.name) and not self.channel.ended


@dataclass(slots=True, eq=False)
class _Slot:
    """A place for one worker after another.

    A job stays in its slot until it ends or is lost with its worker. Until a worker is ready it waits in `request`, and
    cannot be lost.
    """

    log: Log
    worker: _Worker
    job: Job | None = None
    request: bytes = b""
    sent: float | None = None  # when a worker got the job, on the monotonic clock
    heard: float = 0.0  # when its worker last said how far it is
    fraction: float = 0.0

    def state(self, now: float) -> WorkerState:
        """Its worker, and the job that this one was sent."""
        if self.job is None or self.sent is None:
            return WorkerState(name=self.worker.name)
        return busy_worker(
            self.worker.name, self.job, seconds=now - self.sent, fraction=self.fraction, silent=now - self.heard
        )


@executors.register("local")
class LocalExecutor(Executor):
    """Worker processes on this machine, each with its own memory and a fixed number of threads.

    What a worker writes to its standard streams goes to a temporary file; the end of it comes back with the evaluation
    of a job that its worker did not survive, and with the error when workers cannot start.
    """

    def __init__(
        self,
        work: Work,
        *,
        workers: int = 2,
        threads: int = 1,
        preload: Sequence[str] = PRELOADED,
        hang_seconds: float = DEFAULT_HANG_SECONDS,
    ) -> None:
        """Start the processes; does not wait for them.

        Args:
            work: what a worker does with a job; a function at the top level of an importable module, or a `partial` of
                one.
            workers: processes, each with one job at a time.
            threads: threads of torch and other numeric libraries in each process.
            preload: modules imported once, before the workers are forked from there; they must neither start threads
                nor touch a GPU when they are imported. The work's own module is imported in each worker otherwise.
            hang_seconds: a worker that says nothing for so long, not even that it lives, is killed and replaced; so is
                one whose job has stopped reporting, where that is unlike the pauses seen so far (`HangRule`).

        Raises:
            ValueError: a number is not positive, or workers could not import the work.
        """
        if workers < 1 or threads < 1:
            raise ValueError(f"workers and threads must be at least 1, got {workers} and {threads}")
        self._rule = HangRule(hang_seconds)
        self._work = pickled(work)
        self._threads = threads
        self._preload = tuple(preload)
        self._keys = itertools.count()
        self._books = Bookkeeping()
        self._selector = selectors.DefaultSelector()
        self._loading = 0.0  # seconds listened to a server that imports
        self._server = self._start_server()
        self._slots: list[_Slot] = []
        try:
            for _ in range(workers):
                self._slots.append(self._new_slot())
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """How many jobs can be under way at the same time."""
        return len(self._slots)

    @property
    def capacity(self) -> int:
        """How many jobs `submit` accepts right now."""
        return 0 if self._books.is_closed else sum(slot.job is None for slot in self._slots)

    def submit(self, job: Job) -> None:
        """Hand a job to a free worker; see `Executor.submit`."""
        self._books.require_open()
        if any(job.id == busy.id for _, busy in self._busy()):
            raise ValueError(f"job {job.id!r} is under way already")
        free = [slot for slot in self._slots if slot.job is None]
        if not free:
            raise RuntimeError(f"all {self.workers} workers are busy; submit no more jobs than `capacity`")
        slot = next((slot for slot in free if slot.worker.is_ready), free[0])
        slot.request = encode(job_to_dict(job))
        slot.job, slot.sent, slot.fraction = job, None, 0.0
        if slot.worker.is_ready:
            self._send(slot)

    def completed(self, timeout: float) -> list[Finished]:
        """The jobs that ended since the last call; see `Executor.completed`."""
        return self._books.collect(timeout, self._handle_events, lambda: any(self._busy()))

    def progress(self) -> Mapping[str, float]:
        """The fraction done of every job under way, by job id, as of the last `completed`."""
        return {job.id: slot.fraction for slot, job in self._busy()}

    def worker_states(self) -> Sequence[WorkerState]:
        """The processes that are ready for jobs; see `Executor.worker_states`."""
        now = time.monotonic()
        return [] if self._books.is_closed else [slot.state(now) for slot in self._slots if slot.worker.is_ready]

    def shortage(self) -> str:
        """Never any: workers are started at once."""
        return ""

    def cancel(self, job_id: str) -> None:
        """Stop a job by ending its worker; see `Executor.cancel`."""
        self._books.forget(job_id)
        for slot, job in list(self._busy()):
            if job.id == job_id:
                slot.job = None
                if slot.sent is not None:
                    self._server.kill(slot.worker.key)
                    self._replace(slot)

    def close(self) -> None:
        """Kill every process, whatever it does, and give back every descriptor; may be called twice."""
        if self._books.is_closed:
            return
        self._books.is_closed = True
        self._server.close()
        for slot in self._slots:
            slot.worker.channel.close()
            slot.log.close()
        self._selector.close()

    # Jobs.

    def _busy(self) -> Iterator[tuple[_Slot, Job]]:
        return ((slot, slot.job) for slot in self._slots if slot.job is not None)

    def _send(self, slot: _Slot) -> None:
        slot.log.clear()  # the log tells of one job and does not grow with the study
        slot.sent = slot.heard = time.monotonic()
        slot.worker.silence.begin()
        slot.worker.channel.send(slot.request)
        self._watch(slot.worker)

    def _finish(self, slot: _Slot, evaluation: Evaluation) -> None:
        if slot.job is not None:
            self._books.finish(slot.job, evaluation)
            slot.job = None

    def _lose(self, slot: _Slot, ending: str) -> None:
        """Finish the job of a worker that has ended, if it had one."""
        if slot.job is not None and slot.sent is not None:
            name, output = slot.worker.name, slot.log.tail()
            self._finish(slot, lost(slot.job, worker=name, sent=slot.sent, ending=ending, output=output))

    # What workers and their server have to say.

    def _handle_events(self, timeout: float) -> None:
        for key, _ in self._selector.select(min(timeout, CHORE_SECONDS)):
            if key.fileobj is self._server:
                self._hear_server()
            else:
                self._hear_worker(key.data)
        passed = self._rule.listened()
        if passed:
            self._end_stuck(passed)

    def _hear_worker(self, key: int) -> None:
        slot = self._slot_of(key)
        if slot is None:
            return  # replaced by what another event of the same moment said
        channel = slot.worker.channel
        channel.flush()
        self._read(slot)
        if channel.ended:
            self._selector.unregister(channel)
            self._kill(slot.worker)  # as a rule it has ended, and its server says how; it may only have hung up
        else:
            self._watch(slot.worker)

    def _read(self, slot: _Slot) -> None:
        for message in slot.worker.channel.receive():
            self._take(slot, message)

    def _take(self, slot: _Slot, message: Message) -> None:
        silence = slot.worker.silence
        silence.break_off()
        if message["kind"] == "ready":
            slot.worker.name = message["worker"]
            self._books.worker_started()
            if slot.job is not None:
                self._send(slot)
        elif message["kind"] == "progress":
            slot.fraction, slot.heard = message["fraction"], time.monotonic()
            self._rule.report(silence, silence.reports + 1, slot.fraction)
        elif message["kind"] == "done":
            self._finish(slot, Evaluation.from_dict(message["evaluation"]))

    def _hear_server(self) -> None:
        for news in self._server.news():
            slot = self._slot_of(news.worker)
            if news.what == ENDED and slot is not None:  # else it was cancelled
                self._handle_exit(slot, slot.worker.ending or describe_exit(news.exit_code))
        if self._server.ended:
            self._restart_server()

    def _end_stuck(self, passed: float) -> None:
        """Kill the workers that have said nothing for too long, and a server that does not, or is never ready to."""
        if not self._server.is_loaded:  # until then nobody is there to say anything
            self._loading += passed
            if self._loading > LOADING_SECONDS:
                self._server.end()
            return
        self._loading = 0.0
        for worker in [slot.worker for slot in self._slots]:
            if worker.dying is not None:
                worker.dying += passed
                if worker.dying > _KILL_SECONDS:
                    self._server.end()  # the news of that brings another one, and other workers
                    return
            else:
                worker.ending = self._rule.wait(worker.silence, passed) or ""
                if worker.ending:
                    self._kill(worker)

    # Processes.

    def _kill(self, worker: _Worker) -> None:
        """Have a worker killed; its place is filled when the server says that it has ended."""
        worker.dying = 0.0
        self._server.kill(worker.key)

    def _slot_of(self, key: int) -> _Slot | None:
        return next((slot for slot in self._slots if slot.worker.key == key), None)

    def _handle_exit(self, slot: _Slot, ending: str) -> None:
        """Account for a worker that has ended, and put another one in its place."""
        self._read(slot)  # it may have finished its job before it ended
        if slot.worker.name:
            self._lose(slot, ending)
        elif self._books.start_failed(_WHAT, f"the last one {ending} and wrote\n{slot.log.tail()}"):
            return
        self._replace(slot)

    def _replace(self, slot: _Slot) -> None:
        with suppress(KeyError):  # not watched any more if it has hung up
            self._selector.unregister(slot.worker.channel)
        slot.worker.channel.close()
        slot.worker = self._fork(slot.log)

    def _new_slot(self) -> _Slot:
        log = Log()
        return _Slot(log, self._fork(log))

    def _fork(self, log: Log) -> _Worker:
        ours, theirs = socket.socketpair()
        worker = _Worker(next(self._keys), Channel(ours))
        with theirs:
            self._server.spawn(worker.key, theirs, log)
        self._selector.register(worker.channel, selectors.EVENT_READ, worker.key)
        return worker

    def _watch(self, worker: _Worker) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.channel.is_sending else 0)
        self._selector.modify(worker.channel, events, worker.key)

    def _start_server(self) -> ForkServer:
        server = ForkServer(self._work, threads=self._threads, preload=self._preload)
        self._selector.register(server, selectors.EVENT_READ)
        return server

    def _restart_server(self) -> None:
        self._selector.unregister(self._server)
        ending = self._server.exit_report()
        if not self._server.is_loaded:
            if self._loading > LOADING_SECONDS:
                ending = (
                    f"was still importing {', '.join(self._preload)} after {format_seconds(LOADING_SECONDS)}\n{ending}"
                )
            self._books.error = NasError(f"{_WHAT} cannot start: the process that forks them {ending}")
        elif not self._books.start_failed(_WHAT, f"the process that forks them {ending}"):
            self._server.close()
            self._server = self._start_server()
            for slot in self._slots:
                self._read(slot)
                self._lose(slot, "was lost with the process that forked it")
                self._replace(slot)
