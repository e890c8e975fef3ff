"""A ledger with a study of every kind, made in no time: their trainings are imagined, everything else is real."""

from __future__ import annotations

from pathlib import Path

from search_runs import make_definition
from study_kinds import NETWORKS, SOURCES, Work

from nas.data import fingerprint
from nas.ledger import Ledger
from nas.records import LatencyKey, LatencyRecord, StudyKind, StudyRecord
from nas.search.bench.in_process import InProcess
from nas.search.driver import Driver
from nas.search.search import Search
from nas.search.stopping import Limits
from nas.train.recipe import Recipe

QUICK = Recipe.from_dict({"epochs": 2, "rungs": [1], "resolution": 8, "data_share": 0.05})
TRIALS = 6


def add_search(ledger: Ledger, name: str = "mine", *, trials: int = TRIALS, seed: int = 0) -> None:
    """A search of the digits, whose candidates could be trained in a moment; it has ended."""
    definition = make_definition(recipe=QUICK, fingerprint=fingerprint("digits"), seed=seed)
    limits = Limits(trials=trials)
    stored = {**definition.to_dict(), **limits.to_dict()}
    ledger.create_study(StudyRecord(name=name, kind=StudyKind.SEARCH, definition=stored, created="2026-01-01T00:00:00"))
    with InProcess(Work(epochs=2), workers=1) as executor:
        Driver(Search(name, definition.problem(), ledger=ledger, limits=limits), executor=executor).run("here:1")


def write_ledger(path: Path) -> None:
    """A search `mine`, with a report and a latency, and a study of each other kind."""
    with Ledger.open(f"sqlite:///{path}") as ledger:
        for kind in (StudyKind.COMPARE, StudyKind.TRUST):
            with InProcess(Work(epochs=2), workers=1) as executor:
                Driver(SOURCES[kind](ledger), executor=executor).run("here:1")
        add_search(ledger)
        first = ledger.trials("mine")[0].architecture_id
        ledger.save_report("mine", first, "test accuracy", {"accuracy": 0.5, "low": 0.4, "high": 0.6, "images": 100})
        form = NETWORKS[0]
        key = LatencyKey(profile="p", resolution=32, channels=3, classes=10, device="here", runtime="one 1")
        record = LatencyRecord(
            architecture_id=form.id, key=key, profile_name="p", protocol={}, measured="2026-01-01T00:00:00", ms=1.0
        )
        ledger.save_latencies([record], {form.id: form.to_dict()})
