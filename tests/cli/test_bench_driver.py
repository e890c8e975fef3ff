from __future__ import annotations

import json
from pathlib import Path

import pytest

from nas.cli.main import main
from nas.ledger import Ledger

Capture = pytest.CaptureFixture[str]
SMALL = ["bench", "driver", "--space", "tiny", "--budget", "30MFLOPs", "--trials", "12"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_a_simulation_is_kept_and_not_done_again(capsys: Capture, tmp_path: Path) -> None:
    assert main([*SMALL, "-w", "3", "--keep", "cells.json", "--json", "--storage", "sqlite:///kept.db"]) == 0
    (first,) = json.loads(capsys.readouterr().out)
    assert first["ran"]["trained"] + first["ran"]["failed"] == 12
    assert first["resumed"]["trained"] == first["ran"]["trained"]
    with Ledger.read("sqlite:///kept.db") as ledger:
        assert [study.name for study in ledger.studies()] == ["simulated-tiny-random-12-by-3"]
    assert main([*SMALL, "-w", "3", "--keep", "cells.json", "-o", "scale.md"]) == 0
    assert "How far one driver reaches" in capsys.readouterr().out
    (line,) = (line for line in Path("scale.md").read_text().splitlines() if line.startswith("| random"))
    assert [cell.strip() for cell in line.split("|")[2:4]] == ["3", "12"]
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"cells.json", "kept.db", "scale.md"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--workers", "10,many"], "--workers 10,many: write whole numbers"),
        (["--trials", "0"], "--trials 0: write whole numbers"),
        (["--sampler", "surogate"], "did you mean 'surrogate'"),
        (["--budget", "1kFLOPs"], "FLOPs"),
        (["--rungs", "20"], "rungs"),
        (["--training", "soon"], "soon"),
        (["--keep", "not.json"], "holds no simulations"),
        pytest.param(["--storage", "mysql://here"], "mysql", marks=pytest.mark.slow),
    ],
)
def test_wrong_input_gets_one_clear_message(arguments: list[str], says: str, capsys: Capture) -> None:
    Path("not.json").write_text('{"a": 1}')
    assert main([*SMALL, *arguments]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.out == ""
