"""Several studies named at once, studies that do not apply, and a ledger that the study file names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_studies import add_search, write_ledger

from nas.cli.main import main
from nas.export.candidates import choose_among, latest_exportable
from nas.ledger import Ledger

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_ledger(Path("nas.db"))
    with Ledger.open("sqlite:///nas.db") as ledger:
        add_search(ledger, "other", trials=3, seed=5)


def test_studies_without_a_front_are_left_out_and_it_is_said(capsys: Capture) -> None:
    assert main(["pareto", "mine", "trusted", "other", "--json"]) == 0
    said = capsys.readouterr()
    assert {row["study"] for row in json.loads(said.out)} == {"mine", "other"}
    assert "left out: trusted: this study judges a proxy and has no front" in said.err
    assert main(["pareto", "trusted"]) == 2
    assert main(["pareto", "mine", "nobody"]) == 2
    assert "unknown study 'nobody'" in capsys.readouterr().err


@pytest.mark.slow
def test_the_best_of_several_studies_is_taken(capsys: Capture) -> None:
    with Ledger.read("sqlite:///nas.db") as ledger:
        study, best, left_out = choose_among(ledger, ["mine", "compared", "other"], None)
        assert [one.partition(":")[0] for one in left_out] == ["compared"]
        assert choose_among(ledger, ["mine", "other"], best[:6])[:2] == (study, best)
        assert latest_exportable(ledger) == ("other", [])
    main(["pareto", "mine", "other", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert max(rows, key=lambda row: row["accuracy"])["id"] == best


@pytest.mark.slow
def test_searches_of_a_ledger_are_named(capsys: Capture) -> None:
    assert main(["bench", "ledgers", "nas.db", "--study", "mine", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["searches"]) == 1
    assert main(["bench", "ledgers", "nas.db", "--study", "nobody"]) == 2
    assert "no study 'nobody' in these ledgers" in capsys.readouterr().err


@pytest.mark.slow
def test_a_study_file_names_its_ledger(capsys: Capture) -> None:
    Path("runs").mkdir()
    Path("runs/study.yaml").write_text("{space: tiny, budget: 30MFLOPs, storage: team.db}")
    words = ["search", "--study", "runs/study.yaml", "--dry-run"]
    assert main(words) == 0
    assert "in sqlite:///runs/team.db" in capsys.readouterr().err
    assert main([*words, "--storage", "nas.db"]) == 0
    assert "in sqlite:///nas.db" in capsys.readouterr().err
