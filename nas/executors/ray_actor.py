"""The life of one worker on Ray: it does one job after another, and says in between that it lives and how far it is."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Sequence

from nas.executors.base import Work
from nas.executors.channel import Message, job_from_dict
from nas.executors.image_transfer import Decoded, ImageTransfer, unpack
from nas.executors.version import code_version
from nas.executors.worker import limit_threads, perform, unpickled

ORPHANED_SECONDS = 1800.0
"""A worker that nobody asks for so long ends. A driver that waits for its database, 300 s at most, asks nobody."""

_LOOK_SECONDS = 5.0


class CoreActor:
    """What the driver makes an actor of. `pulse` runs in a thread of its own, beside the other two.

    Jobs and evaluations cross as JSON: reading them imports nothing.
    """

    def __init__(self, pickled_work: bytes, *, threads: int) -> None:
        """Keep what to do; nothing is imported before the driver has been greeted."""
        self._pickled_work = pickled_work
        self._threads = threads
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._work: Work | None = None
        self._job_id = ""
        self._fraction = 0.0
        self._heard = 0.0  # when the work last said how far it is, on this process's clock
        self._reports = 0
        self._asked = time.monotonic()  # when the driver last asked how it goes
        self._parent = os.getppid()
        threading.Thread(target=self._end_as_orphan, daemon=True).start()

    def greet(self, version: str, images: Sequence[Decoded]) -> Message:
        """Say who this is, which code it has and which of the images are not on this machine.

        Gets ready if the code is the driver's `version`.
        """
        own = code_version()
        if own != version:
            return {"worker": self._name, "version": own, "lacks": []}
        self._work = unpickled(self._pickled_work)
        lacks = [number for number, one in enumerate(images) if not one.is_here()]
        return {"worker": self._name, "version": own, "lacks": lacks}

    def receive(self, transfers: Sequence[ImageTransfer]) -> str:
        """Put images into this machine's cache and say who this is."""
        import ray

        for transfer in transfers:
            unpack(transfer, ray.get)
        return self._name

    def run(self, request: str) -> str:
        """The evaluation of a job; both as JSON."""
        if self._work is None:
            raise RuntimeError("a worker that refused the code's version was given a job")
        job = job_from_dict(json.loads(request))
        self._job_id, self._fraction, self._heard, self._reports = job.id, 0.0, time.monotonic(), 0
        limit_threads(self._threads)
        return json.dumps(perform(self._work, job, report=self._report, worker=self._name))

    def pulse(self, seconds: float) -> tuple[str, float, float, int]:
        """After so many seconds: the job begun last, the fraction done, the seconds it has been silent, its reports."""
        self._asked = time.monotonic()
        time.sleep(seconds)
        self._asked = time.monotonic()
        return self._job_id, self._fraction, self._asked - self._heard, self._reports

    def _end_as_orphan(self) -> None:
        """Free what this worker has once nobody is there any more for whom it could work.

        Ray ends the workers of a driver that it sees go. It does not see one that hangs, or that is cut off.
        """
        while time.monotonic() - self._asked < ORPHANED_SECONDS and os.getppid() == self._parent:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    def _report(self, fraction: float) -> None:
        self._fraction, self._heard = max(0.0, min(1.0, float(fraction))), time.monotonic()
        self._reports += 1
