"""A ledger in SQLite and in a real PostgreSQL, and records to put into it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from postgres_servers import cleared_postgres, empty_postgres, postgres

from nas.ledger import Ledger
from nas.records import Evaluation, EvaluationKey, Failure, StudyKind, StudyRecord, TrialRecord, TrialState


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL that lives as long as the tests."""
    with (
        tempfile.TemporaryDirectory(prefix="nas-pg-", ignore_cleanup_errors=True) as folder,
        postgres(Path(folder)) as server,
    ):
        yield server


KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of either kind in which there is nothing at all."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'nas.db'}"
    return empty_postgres(request.getfixturevalue("postgres_server"))


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of either kind without a study in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'nas.db'}"
    return cleared_postgres(request.getfixturevalue("postgres_server"))


class Records:
    """Records with sensible values, of which a test changes what it is about."""

    @staticmethod
    def study(name: str, created: str = "2026-01-01T00:00:00+00:00") -> StudyRecord:
        return StudyRecord(
            name=name, kind=StudyKind.SEARCH, definition={"space": {"depth": [1, 2]}, "seed": 7}, created=created
        )

    @staticmethod
    def key(architecture: str = "a0", *, seed: int = 0, rung: int = 0) -> EvaluationKey:
        return EvaluationKey(architecture_id=architecture, recipe="r1", fingerprint="d1", seed=seed, rung=rung)

    @classmethod
    def success(cls, architecture: str = "a0", accuracy: float = 0.75, **changed: Any) -> Evaluation:
        fields: dict[str, Any] = {
            "key": cls.key(architecture),
            "loss": 0.1 + 0.2,
            "curve": (2.3, 1.1, 1 / 3),
            "images": 4_000_000_000,
            "seconds": 1.25,
            "train_seconds": 1.0,
            "peak_memory": 80 * 2**30,
            "worker": "host:1",
            "weights": "/weights/a0.safetensors",
        }
        return Evaluation(accuracy=accuracy, **(fields | changed))

    @classmethod
    def failure(cls, architecture: str = "a0", reason: Failure = Failure.OUT_OF_MEMORY, **changed: Any) -> Evaluation:
        fields: dict[str, Any] = {"key": cls.key(architecture), "message": "no memory", "traceback": "Traceback ..."}
        return Evaluation(failure=reason, **(fields | changed))

    @staticmethod
    def trial(
        number: int, architecture: str = "a0", state: TrialState = TrialState.QUEUED, **changed: Any
    ) -> TrialRecord:
        fields: dict[str, Any] = {
            "choices": {"stages.0.depth": 3, "mixer": "dwconv", "ratio": 0.5},
            "cost": {"flops": 4_500_000_000_000, "params": 28_000_000},
            "overrun": {"flops": 0.25 if state is TrialState.REJECTED else -1 / 3},
            "sampler": {"population": [[1, 2], None]},
        }
        return TrialRecord(number=number, architecture_id=architecture, state=state, **(fields | changed))

    @staticmethod
    def write(ledger: Ledger, *trials: TrialRecord, study: str = "alpha") -> None:
        canonical = {trial.architecture_id: {"name": trial.architecture_id} for trial in trials}
        ledger.write_trials(study, trials, architectures=canonical)

    @staticmethod
    def submit(ledger: Ledger, number: int, attempts: int = 1, study: str = "alpha") -> None:
        ledger.write_trials(study, [], architectures={}, attempts={number: attempts})


@pytest.fixture
def records() -> type[Records]:
    return Records


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """A ledger with one study, `alpha`."""
    with Ledger.open(url) as ledger:
        ledger.create_study(Records.study("alpha"))
        yield ledger
