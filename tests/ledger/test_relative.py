"""A project that is moved keeps its weights."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from nas.ledger import Ledger
from nas.records import TrialState

BESIDE = "nas.db.weights/alpha/a0.safetensors"


def test_weights_beside_a_ledger_move_with_it(tmp_path: Path, records: Any) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    with Ledger.open(f"sqlite:///{here}/nas.db") as ledger:
        ledger.create_study(records.study("alpha"))
        for number, (name, weights) in enumerate((("a0", here / BESIDE), ("a1", "/elsewhere/a1"), ("a2", None))):
            ended = records.success(name, weights=weights and str(weights))
            records.write(ledger, records.trial(number, name, TrialState.DONE, evaluation=ended))
        assert ledger.find(records.key("a0")).weights == str(here / BESIDE)
    assert kept(here) == [BESIDE, "/elsewhere/a1", None]
    here.rename(there)
    with Ledger.read(f"sqlite:///{there}/nas.db") as ledger:
        found = [trial.evaluation and trial.evaluation.weights for trial in ledger.trials("alpha")]
        assert found == [str(there / BESIDE), "/elsewhere/a1", None]
        assert ledger.weights_of("alpha") == sorted([str(there / BESIDE), "/elsewhere/a1"])


def test_an_older_ledger_is_told_where_its_weights_are(tmp_path: Path, records: Any) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/nas.db") as ledger:
        ledger.create_study(records.study("alpha"))
        for number in range(3):
            ended = records.success(f"a{number}")
            records.write(ledger, records.trial(number, f"a{number}", TrialState.DONE, evaluation=ended))
    before = [f"{tmp_path}/{BESIDE}", f"/gone/{BESIDE}", "/gone/other.db.weights/alpha/a0.safetensors"]
    with sqlite3.connect(tmp_path / "nas.db") as connection:
        for number, path in enumerate(before):
            connection.execute("UPDATE nas_evaluations SET weights = ? WHERE id = ?", (path, number + 1))
        connection.execute("ALTER TABLE nas_evaluations DROP COLUMN test_accuracy")  # came with 0007
        connection.execute("UPDATE nas_alembic_version SET version_num = '0005'")
    connection.close()
    with Ledger.read(f"sqlite:///{tmp_path}/nas.db") as ledger:
        found = [trial.evaluation and trial.evaluation.weights for trial in ledger.trials("alpha")]
    assert found == [str(tmp_path / BESIDE), str(tmp_path / BESIDE), before[2]]
    assert kept(tmp_path) == [BESIDE, BESIDE, before[2]]


def kept(folder: Path) -> list[str | None]:
    connection = sqlite3.connect(folder / "nas.db")
    rows = connection.execute("SELECT weights FROM nas_evaluations ORDER BY id").fetchall()
    connection.close()
    return [row[0] for row in rows]
