from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # workers have to import the works by name, too

import search_works
from search_runs import Runner

from nas.executors.local import LocalExecutor
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord
from nas.search.artifacts import WeightsFolder
from nas.search.definition import StudyDefinition
from nas.search.driver import Driver
from nas.search.pulse import Progress
from nas.search.search import Search
from nas.search.stopping import Limits


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/nas.db") as opened:
        yield opened


@pytest.fixture
def run(ledger: Ledger, tmp_path: Path) -> Runner:
    """Run a study to `trials` candidates or other limits; the study is created on the first call for its name."""

    def run_study(
        definition: StudyDefinition,
        *,
        trials: int | None = None,
        name: str = "study",
        work: Any = search_works.instant,
        workers: int = 1,
        watch: Any = lambda progress: None,
        fruitless_asks: int = 300,
        **limits: Any,
    ) -> Progress:
        if name not in {study.name for study in ledger.studies()}:
            ledger.create_study(
                StudyRecord(
                    name=name, kind=StudyKind.SEARCH, definition=definition.to_dict(), created="2026-01-01T00:00:00"
                )
            )
        with LocalExecutor(work, workers=workers, preload=()) as executor:
            search = Search(
                name, definition.problem(), ledger=ledger,
                limits=Limits(trials=trials, fruitless_asks=fruitless_asks, **limits),
                weights=WeightsFolder(tmp_path / "weights"),
            )  # fmt: skip
            return Driver(search, executor=executor, watch=watch).run("here:1")

    return run_study
