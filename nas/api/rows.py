"""What a study has found, as rows for Python, notebooks and pandas."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, overload

from torch import nn

from nas.analysis.front import FrontRow
from nas.api.progress import ProgressBar
from nas.architecture import Architecture, build as build_network
from nas.cost import Cost
from nas.cost.budget import latency_of, profile_of
from nas.errors import UserError
from nas.export.folder import whole
from nas.export.winner import Exported, export_winner
from nas.ledger import Ledger
from nas.notebook import table
from nas.records import Plain, TrialRecord, TrialState
from nas.search.definition import searched_study
from nas.search.launch import resolve_device
from nas.units import format_count

_SHOWN = 20  # rows of a longer table that are printed


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Row:
    """One candidate of a study.

    Attributes:
        id: of its architecture.
        number: of the trial that first asked for it.
        state: `done`, `stopped` (at a rung below the last), `reused`, `failed`, `rejected` (over budget) or `queued`.
        accuracy: top-1 on the validation split, in [0, 1]; None without one.
        cost: its exact price at the study's task.
        latency: milliseconds by profile, those that were measured.
        rung: fidelity of the accuracy; None without one.
        seconds: of its training; None without one.
        decisions: the answers that make it, by decision of the space.
        failure, message: why there is no accuracy; empty where nothing failed.
        study, storage: where it is from.
    """

    id: str
    number: int
    state: str
    accuracy: float | None
    cost: Cost
    latency: Mapping[str, float] = field(default_factory=dict, repr=False)
    rung: int | None
    seconds: float | None
    decisions: Mapping[str, Plain] = field(repr=False)
    failure: str = ""
    message: str = field(default="", repr=False)
    study: str = field(repr=False)
    storage: str = field(repr=False)

    def __repr__(self) -> str:
        accuracy = "no accuracy" if self.accuracy is None else f"{self.accuracy:.1%}"
        cost = f"{format_count(self.cost.flops)}FLOPs, {format_count(self.cost.params)}params"
        return f"Row({self.id}: {accuracy}, {cost}, {self.state})"

    def _repr_html_(self) -> str:
        """Itself and its decisions, for a notebook."""
        decisions = ([name, str(value)] for name, value in self.decisions.items())
        return table(_HEAD, [_cells(self)]) + table(("decision", "value"), decisions)

    @property
    def architecture(self) -> Architecture:
        """The architecture itself, from the ledger."""
        with Ledger.read(self.storage) as ledger:
            return Architecture.from_dict(ledger.architecture(self.id))

    def build(self) -> nn.Module:
        """The freshly initialised network, for the channels and classes of the study's task."""
        with Ledger.read(self.storage) as ledger:
            task = searched_study(ledger, self.study)[1].task
        return build_network(self.architecture, task.classes, task.channels)

    def export(
        self,
        folder: str | os.PathLike[str],
        *,
        data: str | None = None,
        device: str = "auto",
        force: bool = False,
        quiet: bool = False,
    ) -> Exported:
        """Write it as a folder: architecture, trained weights, and the accuracy on images no search has seen.

        Args:
            folder: where to; made if it is missing.
            data: the study's data set, should it have moved.
            device: where to train, should its weights not have been kept, and to test: `auto`, `cpu` or `cuda`.
            force: write over something else in the folder, too.
            quiet: show no progress.

        Raises:
            StudyError: it has no accuracy.
            UserError: the folder cannot be written or holds something else, or the images are gone.
        """
        where = resolve_device(device)
        with (
            Ledger.open(self.storage, create=False) as ledger,
            ProgressBar(quiet=quiet) as bar,
            whole(Path(folder), force=force) as place,
        ):
            exported = export_winner(
                ledger,
                self.study,
                self.id,
                place,
                data=data,
                device=where,
                report=lambda done: bar.fraction("training it again", done),
            )
        return replace(exported, folder=str(folder))

    def to_dict(self) -> dict[str, Any]:
        """Plain values: costs by their names, decisions as `decisions`."""
        return {
            "id": self.id,
            "number": self.number,
            "state": self.state,
            "accuracy": self.accuracy,
            **asdict(self.cost),
            "latency": dict(self.latency),
            "rung": self.rung,
            "seconds": self.seconds,
            "failure": self.failure,
            "decisions": dict(self.decisions),
        }


class Rows(Sequence[Row]):
    """Rows of a study; a table where they are shown."""

    def __init__(self, rows: Sequence[Row]) -> None:
        """Rows in their order."""
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Rows: ...
    def __getitem__(self, place: int | slice) -> Row | Rows:
        """A row by its place, or several."""
        return Rows(self._rows[place]) if isinstance(place, slice) else self._rows[place]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def to_pandas(self) -> Any:
        """A pandas DataFrame, a row each; a decision is the column `decisions.NAME`.

        Raises:
            UserError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise UserError("to_pandas needs pandas, which is not installed here: pip install pandas") from None
        rows = []
        for row in self._rows:
            flat = row.to_dict()
            decisions, latency = flat.pop("decisions"), flat.pop("latency")
            flat |= {latency_of(profile): ms for profile, ms in latency.items()}
            rows.append({**flat, **{f"decisions.{name}": value for name, value in decisions.items()}})
        return pandas.DataFrame(rows)

    def __repr__(self) -> str:
        lines = [_HEAD, *map(_cells, self._rows[:_SHOWN])]
        widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
        text = [
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        ]
        return "\n".join([*text, *self._rest()])

    def _repr_html_(self) -> str:
        """The table for a notebook."""
        return table(_HEAD, map(_cells, self._rows), most=_SHOWN)

    def _rest(self) -> list[str]:
        left = len(self) - _SHOWN
        return [f"... and {left} more"] if left > 0 else []


_HEAD = ("id", "accuracy", "FLOPs", "params", "rung", "seconds", "state")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.id,
        "-" if row.accuracy is None else f"{row.accuracy:.1%}",
        format_count(row.cost.flops),
        format_count(row.cost.params),
        "-" if row.rung is None else str(row.rung),
        "-" if row.seconds is None else f"{row.seconds:.1f}",
        row.failure or row.state,
    )


def trial_row(trial: TrialRecord, study: str, storage: str) -> Row:
    """A trial as a row."""
    evaluation = trial.evaluation
    failed = trial.state is TrialState.FAILED and evaluation is not None and evaluation.failure is not None
    return Row(
        id=trial.architecture_id,
        number=trial.number,
        state=trial.state.value,
        accuracy=None if evaluation is None else evaluation.accuracy,
        cost=Cost(**{name: value for name, value in trial.cost.items() if profile_of(name) is None}),
        latency={profile: ms for name, ms in trial.cost.items() if (profile := profile_of(name)) is not None},
        rung=None if evaluation is None else evaluation.key.rung,
        seconds=None if evaluation is None else evaluation.seconds,
        decisions=trial.choices,
        failure=str(evaluation.failure) if failed and evaluation is not None else "",
        message=evaluation.message if failed and evaluation is not None else "",
        study=study,
        storage=storage,
    )


def rows_of(found: Sequence[FrontRow], trials: Sequence[TrialRecord], study: str, storage: str) -> Rows:
    """The trials that rows of a front stand for: of each architecture the one of that rung."""
    by_place = {(one.architecture_id, one.evaluation.key.rung): one for one in reversed(trials) if one.evaluation}
    return Rows([trial_row(by_place[row.id, row.rung], study, storage) for row in found])
