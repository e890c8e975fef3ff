"""The ledger against the death of its writer, readers at its side, and Optuna in the same database."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy as sa

from nas.ledger import Ledger
from nas.records import TrialState

WRITER = """
import sys
from nas.ledger import Ledger
from nas.records import Evaluation, EvaluationKey, TrialRecord, TrialState

def trial(number, state):
    return TrialRecord(number=number, architecture_id=f"a{number}", choices={"x": "y" * 500}, cost={"flops": number},
                       overrun={}, state=state)

with Ledger.open(sys.argv[1]) as ledger:
    number = int(sys.argv[2])
    while True:
        batch = [trial(number, TrialState.REJECTED), trial(number + 1, TrialState.QUEUED)]
        ledger.write_trials("alpha", batch, architectures={t.architecture_id: {"n": t.number} for t in batch})
        ledger.write_trials("alpha", [], architectures={}, attempts={number + 1: 1})
        key = EvaluationKey(architecture_id=f"a{number + 1}", recipe="r", fingerprint="d", seed=0)
        ledger.finish("alpha", number + 1, Evaluation(key=key, accuracy=0.5, curve=(0.1,) * 50), TrialState.DONE)
        print(number + 1, flush=True)
        number += 2
"""


def killed_writer(url: str, start: int, after: int) -> int:
    """Let a process write from trial `start` on, kill it soon after `after` acknowledgements, return the last one."""
    with subprocess.Popen([sys.executable, "-c", WRITER, url, str(start)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(after):
            writer.stdout.readline()
        writer.kill()
        rest = [line for line in writer.stdout if line.endswith("\n")]
    return int(rest[-1]) if rest else start + 2 * after - 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])], indirect=True
)
def test_a_killed_writer_loses_nothing_it_was_told_is_stored(ledger: Ledger, url: str) -> None:
    start = 0
    for after in (1, 7, 20, 3, 11):
        acknowledged = killed_writer(url, start, after)
        trials = ledger.trials("alpha")
        assert [trial.number for trial in trials] == list(range(len(trials)))
        assert len(trials) % 2 == 0, "a batch was written in part"
        assert len(trials) - 1 in (acknowledged, acknowledged + 2)
        for trial in trials[start : acknowledged + 1]:
            state = TrialState.DONE if trial.number % 2 else TrialState.REJECTED
            assert (trial.state, trial.evaluation is not None) == (state, state is TrialState.DONE)
        assert all(ledger.architecture(trial.architecture_id) == {"n": trial.number} for trial in trials[-2:])
        start = len(trials)
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])], indirect=True
)
def test_readers_see_whole_transactions_while_the_driver_writes(ledger: Ledger, url: str, records: Any) -> None:
    finished = threading.Event()
    seen: list[int] = []

    def look() -> None:
        with Ledger.read(url) as reader:
            while True:
                last = finished.is_set()
                numbers = [trial.number for trial in reader.trials("alpha")]
                assert numbers == list(range(len(numbers)))
                seen.append(len(numbers))
                reader.studies()
                if last:
                    return

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(0, 300, 3):
        records.write(ledger, *(records.trial(number + offset, f"a{number}") for offset in (2, 0, 1)))
        ledger.finish("alpha", number, records.success(f"a{number}"), TrialState.DONE)
    finished.set()
    for reader in readers:
        reader.join()
    assert all(count % 3 == 0 for count in seen)
    assert seen[-1] == 300


def test_two_drivers_of_two_studies_share_architectures_and_evaluations(ledger: Ledger, url: str, records: Any) -> None:
    studies = ["beta", "gamma", "delta"]
    for study in studies:
        ledger.create_study(records.study(study))

    def drive(study: str, step: int) -> None:
        with Ledger.open(url) as own:
            for number in range(40):
                name = f"a{number * step % 40}"  # the same architectures, each driver in an order of its own
                records.write(own, records.trial(number, name), records.trial(number + 100, "a0"), study=study)
                own.finish(study, number, records.success(name, accuracy=step / 100), TrialState.DONE)

    drivers = [threading.Thread(target=drive, args=pair) for pair in zip(studies, (1, 3, 7), strict=True)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    evaluations = ledger.evaluations()
    assert len({evaluation.key for evaluation in evaluations}) == len(evaluations) == 40
    for study in studies:
        done = ledger.trials(study, [TrialState.DONE])
        assert len(done) == 40
        assert all(trial.evaluation == ledger.find(records.key(trial.architecture_id)) for trial in done)


def test_optuna_keeps_its_tables_beside_ours(ledger: Ledger, url: str, records: Any) -> None:
    storage = optuna.storages.RDBStorage(url)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=storage, study_name="alpha", directions=["maximize", "minimize"])
    for number in range(3):
        asked = study.ask()
        depth = asked.suggest_int("depth", 1, 9)
        records.write(ledger, records.trial(number, f"a{depth}"))
        ledger.finish("alpha", number, records.success(f"a{depth}"), TrialState.DONE)
        study.tell(asked, [0.5, float(depth)])
    with Ledger.open(url) as again:
        assert len(again.trials("alpha")) == len(study.trials) == 3
    storage.engine.dispose()
    engine = sa.create_engine(url)
    tables = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    assert {"alembic_version", "nas_alembic_version", "trials", "nas_trials"} <= tables


def test_our_tables_can_be_added_to_those_of_optuna(empty_url: str, records: Any) -> None:
    storage = optuna.storages.RDBStorage(empty_url)
    with Ledger.open(empty_url) as ledger:
        ledger.create_study(records.study("alpha"))
    again = optuna.storages.RDBStorage(empty_url)
    assert optuna.get_all_study_names(again) == []
    for each in (storage, again):
        each.engine.dispose()


def test_sqlite_is_set_up_for_a_reader_beside_a_writer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nas.db'}"
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with Ledger.open(url) as ledger:
        settings = ledger._database.read(
            lambda connection: {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
        )
    assert settings == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}
