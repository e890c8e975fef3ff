"""The candidates of a search in other people's trackers: a run for each, beside the table of learning curves."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256

from nas.records import Evaluation, Plain, TrialRecord
from nas.train.trackers import TrackedRun, Tracker


class RunLog:
    """Writes a run for each candidate whenever it has been judged at a rung, whole, so that each is there once."""

    def __init__(self, study: str, tracker: Tracker, *, notify: Callable[[str], None] = lambda message: None) -> None:
        """Nothing is written before something is added.

        Args:
            study: its name, the group of its runs.
            tracker: who writes.
            notify: told, once, that a run cannot be written; a search goes on without.
        """
        self._study, self._tracker, self._notify = study, tracker, notify
        self._curves: dict[str, _Curve] = {}
        self._changed: dict[str, None] = {}  # architectures, in their order
        self._is_off = False

    def add(self, record: TrialRecord) -> None:
        """Take in what a trial has come to at a rung; what is there already, by another trial, too, stays."""
        evaluation = record.evaluation
        if evaluation is None or not evaluation.succeeded:
            return
        curve = self._curves.setdefault(record.architecture_id, _Curve(_facts(record)))
        if curve.take(evaluation):
            self._changed[record.architecture_id] = None

    def publish(self) -> None:
        """Write what has changed."""
        changed, self._changed = list(self._changed), {}
        try:
            for architecture in [] if self._is_off else changed:
                self._write(architecture, self._curves[architecture])
        except Exception as error:  # of a foreign library, of any kind: the search is worth more than its copy
            self._is_off = True
            name = type(self._tracker).__name__
            self._notify(
                f"{name}: a run cannot be written ({error}); the search goes on, and the ledger has the curves"
            )

    def _write(self, architecture_id: str, curve: _Curve) -> None:
        run = TrackedRun(group=self._study, name=architecture_id, facts=curve.facts, mark=curve.mark)
        if self._tracker.has(run):
            return
        begun = self._tracker.begin(run)
        for epoch, values in curve.epochs.items():
            begun.log(epoch, values)
        begun.close()


class _Curve:
    """What is known of one candidate.

    Attributes:
        facts: its trial, costs and decisions.
        epochs: what is known at the end of each.
    """

    def __init__(self, facts: Mapping[str, Plain]) -> None:
        self.facts = facts
        self.epochs: dict[int, dict[str, float]] = {}

    def take(self, evaluation: Evaluation) -> bool:
        """Add what an evaluation says; whether that is more than before."""
        last = len(evaluation.curve) or evaluation.key.rung + 1  # a training of one's own may say nothing of epochs
        if last in self.epochs and "validation_accuracy" in self.epochs[last]:
            return False
        for epoch, loss in enumerate(evaluation.curve, start=1):
            self.epochs.setdefault(epoch, {})["train_loss"] = loss
        judged = {"validation_accuracy": evaluation.accuracy, "validation_loss": evaluation.loss}
        known = {name: value for name, value in judged.items() if value is not None}
        self.epochs.setdefault(last, {}).update(known)
        self.epochs = dict(sorted(self.epochs.items()))
        return True

    @property
    def mark(self) -> str:
        """Equal for equal curves."""
        return sha256(json.dumps([self.facts, self.epochs], sort_keys=True).encode()).hexdigest()


def _facts(record: TrialRecord) -> dict[str, Plain]:
    """Of a candidate; decisions as in `to_pandas`, so that one called `flops` is not a cost."""
    decisions = {f"decisions.{name}": value for name, value in record.choices.items()}
    return {"trial": record.number, **record.cost, **decisions}
