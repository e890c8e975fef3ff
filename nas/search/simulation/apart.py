"""Cells in processes of their own, so that memory and time to resume are their own, too."""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Self

from nas.errors import NasError
from nas.search.simulation.run import Cell, Ran, Resumed, Trainings, resume_cell, run_cell
from nas.search.simulation.world import Odds


class SimulationError(NasError):
    """A simulated search has died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A cell, what its search came to, and what it took to resume it."""

    cell: Cell
    ran: Ran
    resumed: Resumed

    @property
    def busy_from(self) -> float:
        """The mean seconds of a training from which on the driver can keep all workers busy."""
        return self.cell.workers * self.ran.driver_seconds / self.ran.jobs

    @property
    def share_busy(self) -> float:
        """The share of the workers that the driver can keep busy with trainings as they were, in [0, 1]."""
        return min(1.0, self.ran.mean_seconds / self.busy_from)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, JSON-ready."""
        return {**asdict(self), "busy_from": self.busy_from, "share_busy": self.share_busy}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        cell, trainings, ran = data["cell"], data["cell"]["trainings"], data["ran"]
        return cls(
            cell=Cell(**{**cell, "trainings": Trainings(**{**trainings, "odds": Odds(**trainings["odds"])})}),
            ran=Ran(**{**ran, "rungs": tuple(ran["rungs"])}),
            resumed=Resumed(**data["resumed"]),
        )


def measure(cells: Sequence[Cell], *, storage: str | None, watch: Callable[[float, str], None]) -> Iterator[Measured]:
    """Simulate cell by cell.

    Args:
        cells: the searches.
        storage: the ledger to leave them in; None for one in a temporary folder for each, which is removed.
        watch: told the share of all trials that are done, and which cell is under way.

    Raises:
        NasError: what a search raised, or a search has died.
    """
    total, before = sum(cell.trials for cell in cells), 0
    for cell in cells:
        said = f"{cell.trials:,} trials, {cell.workers:,} workers, {cell.definition['sampler']}"

        def show(done: int, _: int, said: str = said, before: int = before) -> None:
            watch((before + done) / total, said)

        show(0, cell.trials)
        with _place(storage) as where:
            ran: Ran = _apart(partial(run_cell, cell, where), show)
            resumed: Resumed = _apart(partial(_resume, cell, where), show)
        yield Measured(cell=cell, ran=ran, resumed=resumed)
        before += cell.trials


@contextmanager
def _place(storage: str | None) -> Iterator[str]:
    if storage is not None:
        yield storage
        return
    with tempfile.TemporaryDirectory(prefix="nas-simulate-") as folder:
        yield f"sqlite:///{folder}/nas.db"


def _resume(cell: Cell, storage: str, watch: Callable[[int, int], None]) -> Resumed:
    return resume_cell(cell, storage)


def _apart(work: Callable[[Callable[[int, int], None]], Any], watch: Callable[[int, int], None]) -> Any:
    """What `work` returns or raises in a fresh process, which does not outlive this call."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(work, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        while True:
            try:
                kind, said = ours.recv()
            except EOFError:
                process.join()
                raise SimulationError(
                    f"a simulated search died (exit status {process.exitcode}); if that is -9, the memory was too "
                    "little: simulate fewer trials"
                ) from None
            if kind == "progress":
                watch(*said)
            elif kind == "error":
                raise said
            else:
                return said
    finally:
        process.terminate()
        process.join()
        ours.close()


def _report(work: Callable[[Callable[[int, int], None]], Any], pipe: Connection) -> None:
    """Do the work and say how it goes and went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C reaches us too, but it is our parent's to answer
    told = -1

    def watch(done: int, total: int) -> None:
        nonlocal told
        if done * 200 // total != told:
            told = done * 200 // total
            pipe.send(("progress", (done, total)))

    try:
        pipe.send(("result", work(watch)))
    except NasError as error:
        pipe.send(("error", error))
