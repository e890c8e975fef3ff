"""A search that is interrupted in every way there is: `python tests/search/interruption_run.py --executor local`.

Real everything: the `nas` command in a process group of its own, trainings on digits, and while it runs its workers
are killed or stopped, the driver gets SIGKILL, SIGTERM, SIGHUP or Ctrl-C twice, or its disk is full (a limit to the
size of files). After each the next one goes on. In the end the ledger must hold every candidate exactly once, the same
ones with the same accuracies as a search that was left alone; and nothing may have taken long to end.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from chaos_run import ENVIRONMENT, essence, prepared, three_nodes, workers_on

from nas.ledger import Ledger
from nas.records import TrialRecord, TrialState

STUDY = "chaos"  # as in the study file of the other run
FAR = 100_000  # candidates that nobody reaches
SLOW = 90.0  # seconds to end in after a signal; only a defect takes so long, on the busiest machine
HANG_SECONDS = 6
_CODES = {
    "SIGKILL": {-signal.SIGKILL},
    "Ctrl-C twice": {130, -signal.SIGINT},  # the same to a shell: the second one may meet the interpreter's end
}
ENDINGS = ("SIGKILL", "SIGTERM", "SIGHUP", "Ctrl-C twice", "full disk")


class Tally(NamedTuple):
    """What a run came to.

    Attributes:
        interruptions: what was done, and how often.
        candidates: of the search in the end.
        finished: distinct candidates with an accuracy.
        doubled: accuracies of a candidate that has one already.
        lost: candidates without any end.
        failed: candidates that ended without an accuracy.
        hung: drivers that did not end in time, and stopped workers that nobody noticed.
        survivors: workers that outlived their driver.
        rude: drivers with a traceback, or an exit code other than promised.
        same_candidates: whether a search that was left alone found the same, with the same accuracies.
    """

    interruptions: dict[str, int]
    candidates: int
    finished: int
    doubled: int
    lost: int
    failed: int
    hung: int
    survivors: int
    rude: int
    same_candidates: bool

    @property
    def is_sound(self) -> bool:
        """Whether nothing was lost, doubled, different, or took for ever."""
        wrong = (self.doubled, self.lost, self.failed, self.hung, self.survivors, self.rude)
        return not any(wrong) and self.same_candidates


class Interrupter:
    """One life of the search after another."""

    def __init__(self, folder: Path, options: list[str], workers: Callable[[int], list[psutil.Process]], seed: int):
        """Search in `folder` with `options`; `workers` finds those of a driver."""
        self.done: Counter[str] = Counter()
        self.hung = self.survivors = self.rude = 0
        self._folder, self._options, self._workers = folder, options, workers
        self._rng = random.Random(seed)

    def live(self) -> None:
        """Start or go on, disturb workers now and then, and end the driver."""
        ending = self._rng.choice(ENDINGS)
        driver = self.start(FAR, room=self._room() if ending == "full disk" else None)
        if ending == "full disk":
            self._expect_end(driver, ending, {2})
            return
        if not self._wait_for_workers(driver):
            self._expect_end(driver, "nothing", {0})
            return
        for _ in range(self._rng.randrange(3)):  # a training that loses three workers has failed
            time.sleep(self._rng.uniform(0.1, 1.5))
            self._disturb_worker(driver)
        time.sleep(self._rng.uniform(0.0, 2.0))
        self._end(driver, ending)

    def start(self, trials: int, *, room: int | None = None) -> subprocess.Popen[bytes]:
        """A driver in a process group of its own; `room` is the largest size of a file it can write, in bytes."""
        what = ["--resume", "--study", STUDY] if self.trials() else ["--study", "study.yaml"]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "nas", "search", *what, "--trials", str(trials), *self._options],
                cwd=self._folder,
                env={**os.environ, **ENVIRONMENT},
                stdout=log if room is None else subprocess.DEVNULL,
                stderr=log if room is None else (self._folder / "full").open("ab"),
                start_new_session=True,
                preexec_fn=None if room is None else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
            )

    def finish(self) -> int:
        """Go on to the end of what has begun and a bit further; the number of candidates."""
        begun = {one.architecture_id for one in self.trials() if one.state is not TrialState.REJECTED}
        wanted = len(begun) + 3
        if self.start(wanted).wait(1200) != 0:
            raise RuntimeError((self._folder / "log").read_text()[-4000:])
        return wanted

    def trials(self) -> list[TrialRecord]:
        """The trials so far; none while there is no study."""
        with suppress(Exception), Ledger.read(f"sqlite:///{self._folder}/nas.db") as ledger:
            return ledger.trials(STUDY)
        return []

    def _room(self) -> int:
        """Not enough for the ledger: it has so many bytes now, or will have at once."""
        database = self._folder / "nas.db"
        return (database.stat().st_size if database.exists() else 0) + self._rng.choice((0, 4096, 16384))

    def _wait_for_workers(self, driver: subprocess.Popen[bytes]) -> bool:
        end = time.monotonic() + 2 * SLOW
        while driver.poll() is None and time.monotonic() < end:
            if self._workers(driver.pid):
                return True
            time.sleep(0.1)
        return False

    def _disturb_worker(self, driver: subprocess.Popen[bytes]) -> None:
        workers = self._workers(driver.pid)
        if not workers or driver.poll() is not None:
            return
        victim = self._rng.choice(workers)
        kind = self._rng.choice(("SIGKILL of a worker", "SIGSTOP of a worker"))
        with suppress(psutil.NoSuchProcess):
            if kind.startswith("SIGKILL"):
                victim.kill()
            else:
                victim.suspend()
                self.hung += not _is_gone(victim)
            self.done[kind] += 1

    def _end(self, driver: subprocess.Popen[bytes], ending: str) -> None:
        with suppress(ProcessLookupError):
            if ending == "Ctrl-C twice":
                os.killpg(driver.pid, signal.SIGINT)
                time.sleep(self._rng.uniform(0.0, 0.7))
                os.killpg(driver.pid, signal.SIGINT)
            else:
                driver.send_signal(getattr(signal, ending))
        self._expect_end(driver, ending, _CODES.get(ending, {130}))

    def _expect_end(self, driver: subprocess.Popen[bytes], ending: str, codes: set[int]) -> None:
        workers = self._workers(driver.pid)
        self.done[ending] += 1
        try:
            code = driver.wait(SLOW if ending != "full disk" else 4 * SLOW)
        except subprocess.TimeoutExpired:
            self.hung += 1
            driver.kill()
            code = driver.wait()
        _, alive = psutil.wait_procs(workers, timeout=30)
        self.survivors += len(alive)
        said = self._said()
        if code not in codes or "Traceback" in said:
            self.rude += 1
            sys.stderr.write(f"--- {ending}: exit code {code}\n{said[-3000:]}\n")

    def _said(self) -> str:
        """What the last driver has said; the next one begins on an empty page."""
        said = ""
        for name in ("log", "full"):
            path = self._folder / name
            if path.exists():
                said += path.read_text(errors="replace")
                path.unlink()
        return said


def interruption_run(
    folder: Path, *, executor: str, interruptions: int, minutes: float = 600.0, workers: int = 2, seed: int = 0
) -> Tally:
    """Search under so many interruptions, or for so many minutes, and compare with a search that is left alone."""
    end = time.monotonic() + 60 * minutes
    disturbed, alone = (prepared(folder / name, "random") for name in ("disturbed", "alone"))
    for place in (disturbed, alone):  # more architectures than the other run's space has, so that none runs out
        space = place / "space.yaml"
        space.write_text(space.read_text().replace("step: 8", "step: 1"))
    with _place(executor) as (options, find):
        own = [*options, "--workers", str(workers), "--hang-time", f"{HANG_SECONDS}s"]
        interrupter = Interrupter(disturbed, own, find, seed)
        while interrupter.done.total() < interruptions and time.monotonic() < end:
            interrupter.live()
            sys.stderr.write(f"{dict(interrupter.done)}: {len(interrupter.trials())} candidates\n")
        wanted = interrupter.finish()
    undisturbed = Interrupter(alone, ["--workers", "2"], workers_of, seed)
    if undisturbed.start(wanted).wait() != 0:
        raise RuntimeError((alone / "log").read_text()[-4000:])
    return _tally(interrupter, undisturbed.trials())


def _tally(interrupter: Interrupter, alone: list[TrialRecord]) -> Tally:
    found = interrupter.trials()
    done = [one for one in found if one.state is TrialState.DONE]
    ends = {TrialState.DONE, TrialState.FAILED, TrialState.REUSED, TrialState.REJECTED}
    return Tally(
        interruptions=dict(interrupter.done),
        candidates=len(found),
        finished=len({one.architecture_id for one in done}),
        doubled=len(done) - len({one.architecture_id for one in done}),
        lost=sum(one.state not in ends for one in found),
        failed=sum(one.state is TrialState.FAILED for one in found),
        hung=interrupter.hung,
        survivors=interrupter.survivors,
        rude=interrupter.rude,
        same_candidates=sorted(essence(found)) == sorted(essence(alone)),
    )


@contextmanager
def _place(executor: str) -> Iterator[tuple[list[str], Callable[[int], list[psutil.Process]]]]:
    """Options that say who trains, and how its workers are found."""
    if executor == "local":
        yield [], workers_of
        return
    with three_nodes() as cluster:
        cluster.add_node(num_cpus=1)
        address = ["--executor", "ray", "--ray-address", cluster.address]
        yield address, lambda driver: [one for node in _nodes(cluster) for one in workers_on(node)]


def _nodes(cluster: Any) -> list[Any]:
    return list(cluster.list_all_nodes())


def workers_of(driver: int) -> list[psutil.Process]:
    """The workers of a driver with processes here: the children of its fork server."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for server in psutil.Process(driver).children():
            found += [one for one in server.children() if one.status() != psutil.STATUS_ZOMBIE]
    return found


def _is_gone(worker: psutil.Process) -> bool:
    """Whether somebody ends a stopped worker in time."""
    _, alive = psutil.wait_procs([worker], timeout=SLOW)
    return not alive


def main() -> int:
    """Run, print the tally; exit code 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executor", choices=("local", "ray"), default="local")
    parser.add_argument("--interruptions", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=600.0, help="no more interruptions after this time")
    parser.add_argument("--seed", type=int, default=0)
    given = vars(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the cluster ends, too
    with tempfile.TemporaryDirectory(prefix="nas-interruptions-", ignore_cleanup_errors=True) as folder:
        result = interruption_run(Path(folder), **given)
    sys.stdout.write("\n".join(f"{name}: {value}" for name, value in result._asdict().items()) + "\n")
    return int(not result.is_sound)


if __name__ == "__main__":
    sys.exit(main())
