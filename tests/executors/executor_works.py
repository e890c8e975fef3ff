"""The work that tests give to workers: `job.architecture` says what to do. Imported by workers, so it stays light."""

from __future__ import annotations

import collections
import ctypes
import itertools
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nas
from nas.executors.base import Report
from nas.records import Evaluation, EvaluationKey, Job

SCRIPT_PATH = os.pathsep.join([str(Path(nas.__file__).parents[1]), str(Path(__file__).parent)])
"""PYTHONPATH of processes that are to find the package and this module."""


def job(name: str, do: str = "sleep", **details: Any) -> Job:
    """A job called `name` that does `do`."""
    key = EvaluationKey(architecture_id=name, recipe="r", fingerprint="d", seed=0)
    return Job(id=name, key=key, architecture={"do": do, **details}, recipe={}, data="none")


def work(job: Job, /, *, report: Report, extra: Path | None = None) -> Evaluation:
    """Do what the job says; if it survives that, succeed."""
    details = dict(job.architecture)
    outcome = ACTIONS[details.pop("do")](report, **details)
    if isinstance(outcome, Mapping):
        return Evaluation(**{"key": job.key, "accuracy": 1.0, **outcome})
    if outcome is None:
        return Evaluation(key=job.key, accuracy=1.0, weights=None if extra is None else str(extra))
    return outcome


def work_on_device(job: Job, /, *, report: Report, device: str = "somewhere") -> Evaluation:
    """Say which device it was given."""
    return Evaluation(key=job.key, accuracy=1.0, message=device)


def sleep(report: Report, seconds: float = 0.0, started: str | None = None) -> None:
    if started is not None:
        Path(started).touch()
    time.sleep(seconds)


def fail(report: Report) -> None:
    raise ZeroDivisionError("no luck")


def leave(report: Report) -> None:
    sys.exit("enough")


def die(report: Report, number: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


def segfault(report: Report) -> None:
    ctypes.string_at(0)


def say_and_exit(report: Report, text: str, code: int) -> None:
    os.write(2, text.encode())
    os._exit(code)


def hold_lock(report: Report, started: str) -> None:
    """Native code that never gives the interpreter lock back."""
    Path(started).touch()
    collections.deque(itertools.repeat(0), maxlen=0)


class HoldingLock:
    """A path; who reads it first, as a part of the work, holds the lock for ever."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._path = path

    def __reduce__(self) -> Any:
        return _read_path, (str(self._path),)


def _read_path(path: str) -> Path:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return Path(path)
    collections.deque(itertools.repeat(0), maxlen=0)
    raise AssertionError("never reached")


def send_half(report: Any, number: int) -> None:
    """Be stopped or killed in the middle of a message."""
    report._line._socket.sendall(b"\0\0\4\0" + b'{"kind": "done", "evalu')
    die(report, number)


def hang_up(report: Any) -> None:
    report._line._socket.close()
    time.sleep(60)


def leave_child(report: Report, seconds: float) -> None:
    """Die, but leave a child behind that holds every descriptor."""
    if os.fork() == 0:
        time.sleep(seconds)
        os._exit(0)
    die(report)


def stall(report: Report, started: str) -> None:
    """Native code that has let the interpreter go and never ends, after some steps."""
    for step in range(5):
        report(step / 10)
        time.sleep(0.21)
    Path(started).touch()
    ctypes.CDLL(None).pause()


def step_at_a_pace(report: Report, pauses: list[float]) -> None:
    """Report, and take so many seconds until the next time."""
    for number, pause in enumerate(pauses):
        report(number / len(pauses))
        time.sleep(pause)


def halves(report: Report, until: str) -> None:
    """Report one half and wait for a file."""
    report(0.5)
    while not Path(until).exists():
        time.sleep(0.01)


def chatter(report: Report, times: int) -> None:
    for i in range(times):
        report(i / times)


def say_much(report: Report, letters: int) -> Mapping[str, Any]:
    return {"message": "x" * letters}


def measure(report: Report, text: str) -> Mapping[str, Any]:
    return {"images": len(text)}


def where(report: Report) -> Mapping[str, Any]:
    return {"images": os.getpid()}


def streams(report: Report) -> None:
    sys.stdout.write("to stdout")
    sys.stderr.write("to stderr")


def torch_threads(report: Report) -> Mapping[str, Any]:
    import torch

    return {"images": torch.get_num_threads()}


def environment(report: Report, names: list[str]) -> Mapping[str, Any]:
    """The environment that this process was started with, and what torch made of it."""
    import torch

    start = dict(entry.split("=", 1) for entry in Path("/proc/self/environ").read_text().split("\0") if entry)
    return {"message": " ".join(start.get(name, "") for name in names), "images": torch.get_num_threads()}


def meet(report: Report, folder: str, guests: int) -> Mapping[str, Any]:
    """Wait for the others, then say which GPU this process may use."""
    Path(folder, str(os.getpid())).touch()
    while len(os.listdir(folder)) < guests:
        time.sleep(0.02)
    return {"message": os.environ.get("CUDA_VISIBLE_DEVICES", ""), "images": os.getpid()}


def nothing(report: Report) -> Any:
    return ["not", "an", "evaluation"]


def another(report: Report) -> Evaluation:
    return Evaluation(key=EvaluationKey(architecture_id="another", recipe="r", fingerprint="d", seed=0), accuracy=1.0)


def unplain(report: Report) -> Mapping[str, Any]:
    return {"loss": object()}


def misnamed(report: Report) -> Mapping[str, Any]:
    return {"failure": "bad luck"}


ACTIONS: dict[str, Callable[..., Any]] = {
    action.__name__: action
    for action in (
        *(sleep, fail, leave, die, segfault, say_and_exit, hold_lock, send_half, hang_up, leave_child, halves),
        *(stall, step_at_a_pace),
        *(chatter, say_much, measure, where, streams, torch_threads, environment, meet),
        *(nothing, another, unplain, misnamed),
    )
}
