"""Who measures one network after another: a process of this machine, or whatever else answers the same questions.

Questions and answers are plain data, so that they may cross to other processes and machines.
"""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from nas.architecture import Architecture
from nas.errors import NasError, UserError
from nas.measure.profile import NamedProfile, Profile
from nas.measure.session import key_of, measure
from nas.records import LatencyKey, LatencyRecord
from nas.task import Task

_POLL = 0.2  # seconds between signs of life while something is measured

Alive = Callable[[], None]
"""Called several times a second while an answer is waited for."""


class MeasuringError(NasError):
    """What measures has failed; what was measured so far is kept by whoever asked."""


class Meter(Protocol):
    """Answers questions about one network at a time, where nothing else is going on."""

    def ask(self, question: Mapping[str, Any], alive: Alive) -> dict[str, Any]:
        """What `answer` says to a question, where the measurements are made.

        Raises:
            MeasuringError: nobody can be made to answer.
            ...: what `alive` raises.
        """
        ...

    def shortage(self) -> str:
        """Why nobody measures although somebody waits: who has the room; empty where that is not so."""
        ...

    def close(self) -> None:
        """Stop everything; may be called twice."""
        ...


def ask_key(meter: Meter, named: NamedProfile, task: Task, alive: Alive) -> LatencyKey:
    """What the latencies of a meter may be compared with.

    Raises:
        UserError: the profile cannot be measured there.
        MeasuringError: nobody answers.
    """
    return LatencyKey(**_asked(meter, named, task, alive)["key"])


def ask_record(
    meter: Meter, architecture: Architecture, named: NamedProfile, task: Task, alive: Alive
) -> LatencyRecord:
    """The measurement of a network; raises as `ask_key`, also for a command that does not do what it should."""
    return LatencyRecord.from_dict(_asked(meter, named, task, alive, architecture=architecture.to_dict())["record"])


def _asked(meter: Meter, named: NamedProfile, task: Task, alive: Alive, **more: Any) -> dict[str, Any]:
    about = {"name": named.name, "protocol": named.profile.canonical(), "task": asdict(task)}
    found = meter.ask({**about, **more}, alive)
    if "error" in found:
        raise UserError(f"profile {named.name!r}: {found['error']}")
    return found


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """The `record` of a network, or the `key` where there is none; `error` where the profile cannot be measured.

    Args:
        question: `name` and `protocol` of the profile, `task` with its three numbers, perhaps a canonical
            `architecture`.
    """
    named = NamedProfile(name=question["name"], profile=Profile.model_validate(question["protocol"]))
    task = Task(**question["task"])
    try:
        if "architecture" not in question:
            return {"key": asdict(key_of(named, task))}
        (record,) = measure([Architecture.from_dict(question["architecture"])], named, task)
    except NasError as error:
        return {"error": str(error)}
    return {"record": record.to_dict()}


class ProcessMeter:
    """A process of this machine, on a core of its own or on any."""

    def __init__(self, core: int | None = None) -> None:
        """Nothing is started before a network is asked about."""
        self._core = core
        self._process: subprocess.Popen[str] | None = None

    def ask(self, question: Mapping[str, Any], alive: Alive) -> dict[str, Any]:
        """See `Meter.ask`; what needs no measuring is answered here."""
        if "architecture" not in question:
            return answer(question)
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
                alive()
        line = process.stdout.readline()
        if not line:
            raise MeasuringError("the process that measures has died; its last words are above")
        found: dict[str, Any] = json.loads(line)
        return found

    def shortage(self) -> str:
        """Never any: this machine is at hand."""
        return ""

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _started(self) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "nas.measure.worker", *([] if self._core is None else [str(self._core)])]
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
