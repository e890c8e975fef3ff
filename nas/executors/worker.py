"""The life of one worker process: wait for a job, do it, send what came of it; until the driver is gone."""

from __future__ import annotations

import json
import os
import pickle
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from nas import plugins
from nas.executors.base import Report, Work
from nas.executors.channel import encode, job_from_dict, messages_from
from nas.executors.silence import PULSE_SECONDS
from nas.records import Evaluation, Failure, Job, Plain

_REPORT_SECONDS = 0.2  # at most five progress messages a second


class Line:
    """A worker's end of the socket, shared by its work and its pulse."""

    def __init__(self, sock: socket.socket) -> None:
        """Speak on `sock`."""
        self._socket = sock
        self._lock = threading.Lock()

    def send(self, message: Mapping[str, Plain]) -> None:
        """Send a message; waits until the driver listens. Raises ConnectionError where it is gone."""
        encoded = encode(message)
        with self._lock:
            self._socket.sendall(encoded)

    def offer(self, message: Mapping[str, Plain]) -> None:
        """Send a message that may be dropped: not while the driver is busy elsewhere, since a later one says more.

        Where the driver is gone it ends the process: an exception could be caught by the work, which would go on for
        nobody.
        """
        encoded = encode(message)
        with self._lock:
            try:
                sent = self._socket.send(encoded, socket.MSG_DONTWAIT)
                self._socket.sendall(encoded[sent:])
            except BlockingIOError:
                return
            except OSError:
                os._exit(1)

    def keep_pulse(self) -> None:
        """Say every second that this process lives, from a thread of its own."""
        threading.Thread(target=self._beat, name="pulse", daemon=True).start()

    def _beat(self) -> None:
        while True:
            self.offer({"kind": "pulse"})
            time.sleep(PULSE_SECONDS)


class ProgressSender:
    """Sends the fraction of a job that is done: not too often, and never at the price of waiting."""

    def __init__(self, line: Line) -> None:
        """Report on `line`, the first time at once."""
        self._line = line
        self._due = 0.0

    def __call__(self, fraction: float) -> None:
        """Report `fraction`, clamped to [0, 1], unless the last report is too recent."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _REPORT_SECONDS
        self._line.offer({"kind": "progress", "fraction": max(0.0, min(1.0, float(fraction)))})


def pickled(work: Work) -> bytes:
    """What a worker reads to get the same work, and before it the plug-ins that are loaded here.

    Raises:
        ValueError: a worker could not import it.
    """
    function: object = work
    while isinstance(function, partial):
        function = function.func
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if module == "__main__":
        raise ValueError(
            f"workers cannot import {name!r} from the main program; move it to a module and import it from there"
        )
    try:
        shipped = [(plugin, plugin.digest) for plugin in plugins.loaded()]
        return pickle.dumps((shipped, pickle.dumps(work)))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"the work must be a function at the top level of a module, or a partial of one: {error}"
        ) from error


def unpickled(pickled_work: bytes) -> Work:
    """Inverse of `pickled`.

    Raises:
        UserError: a plug-in cannot be loaded here.
    """
    shipped, inner = pickle.loads(pickled_work)
    for plugin, digest in shipped:
        plugins.receive(plugin, digest)
    work: Work = pickle.loads(inner)
    return work


def serve(sock: socket.socket, pickled_work: bytes, *, threads: int) -> None:
    """Do the jobs that arrive on `sock` until its other end closes."""
    line = Line(sock)
    line.keep_pulse()
    work = unpickled(pickled_work)
    limit_threads(threads)
    host = f"{socket.gethostname()}:{os.getpid()}"
    try:
        line.send({"kind": "ready", "worker": host})
        for message in messages_from(sock):
            result = perform(work, job_from_dict(message), report=ProgressSender(line), worker=host)
            line.send({"kind": "done", "evaluation": result})
    except ConnectionError:
        return  # the driver is gone


def perform(work: Work, job: Job, *, report: Report, worker: str) -> dict[str, Plain]:
    """The evaluation of `job` as plain data; whatever is raised becomes a `Failure.BUG` with its traceback."""
    start = time.monotonic()
    try:
        evaluation = work(job, report=report)
        _check(evaluation, job)
        return _plain(replace(evaluation, worker=evaluation.worker or worker))
    except BaseException as error:  # SystemExit as well: it ends the job, not the worker
        message = "".join(traceback.format_exception_only(error)).strip()
        trace = "".join(traceback.format_exception(error))
        seconds = time.monotonic() - start
        failed = Evaluation(
            key=job.key, failure=Failure.BUG, message=message, traceback=trace, seconds=seconds, worker=worker
        )
        return failed.to_dict()


def _check(evaluation: object, job: Job) -> None:
    """Refuse what is not the evaluation of this job."""
    if not isinstance(evaluation, Evaluation):
        raise TypeError(f"the work returned {evaluation!r:.200}, not an Evaluation")
    if evaluation.key != job.key:
        raise ValueError(f"the work returned the evaluation of {evaluation.key}, asked was {job.key}")


def _plain(evaluation: Evaluation) -> dict[str, Plain]:
    """The evaluation as a dict that is known to survive the way to the driver and back."""
    data: dict[str, Plain] = json.loads(json.dumps(evaluation.to_dict()))
    Evaluation.from_dict(data)
    return data


def limit_threads(threads: int) -> None:
    """Set torch's threads if the work has imported it; the environment says the same to what is imported later."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
