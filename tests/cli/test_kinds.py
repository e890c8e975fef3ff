"""What the commands make of the kinds of studies, on a ledger of the last version that did not know them.

It holds `mine`, a search with a front of two; `pair`, a newer comparison of these two, which took one evaluation of
each over from the search; and a trust run and a refinement that have not trained anything.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from answers import Capture, document

from nas.cli.main import main
from nas.ledger import Ledger
from nas.ledger.revision import REVISIONS, VERSION_TABLE
from nas.records import StudyKind

DUMP = Path(__file__).parent.parent / "ledger" / "before_kinds.sql"
KINDS = {
    "pair": StudyKind.COMPARE,
    "mine": StudyKind.SEARCH,
    "trust-tiny-30MFLOPs": StudyKind.TRUST,
    "mine-refined-7b6856": StudyKind.REFINE,
}  # the latest first


@pytest.fixture(autouse=True)
def _old_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("nas.db") as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))
    connection.close()


def test_an_old_ledger_learns_the_kinds_of_its_studies_when_it_is_first_looked_at(capsys: Capture) -> None:
    with sqlite3.connect("nas.db") as connection:
        assert connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone() == ("0003",)
    connection.close()
    assert [(one["name"], one["kind"]) for one in document(capsys, "studies")] == list(KINDS.items())
    with Ledger.read("sqlite:///nas.db") as ledger:
        assert {name: ledger.study(name).kind for name in KINDS} == KINDS
        assert {kind: ledger.latest_study(kind) for kind in StudyKind} == {kind: name for name, kind in KINDS.items()}
        assert ledger.latest_study() == "pair"
    assert main(["studies"]) == 0
    assert "compare" in capsys.readouterr().out


def test_a_ledger_of_a_newer_program_is_refused_with_both_revisions(capsys: Capture) -> None:
    with sqlite3.connect("nas.db") as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    for command in (["studies"], ["pareto"], ["status"], ["search", "--resume"], ["export", "--best", "-o", "winner"]):
        assert main(command) == 2
        assert f"newer nas (revision 9999; this one knows up to {REVISIONS[-1]}); upgrade" in capsys.readouterr().err


def test_a_newer_comparison_does_not_hide_the_search(capsys: Capture) -> None:
    assert {row["id"]: row["flops"] for row in document(capsys, "pareto")}["70dff3e05d97"] == 9101760
    assert document(capsys, "search", "--resume", "--trials", "9", "--dry-run")["study"] == "mine"
    of_pair = {row["id"]: row["flops"] for row in document(capsys, "pareto", "pair")}  # who names it gets it
    assert of_pair["70dff3e05d97"] == 446035200


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["search", "--resume", "--study", "pair"], "'pair' compares given architectures (`nas compare` shows it"),
        (["export", "pair", "--best", "-o", "winner"], "name one that searches a space"),
        (["refine", "pair"], "name one that searches a space"),
        (["pareto", "trust-tiny-30MFLOPs"], "judges a proxy and has no front; `nas trust` shows it"),
        (["pareto", "mine-refined-7b6856"], "tunes recipes and has no front; `nas refine mine` shows it"),
    ],
)
def test_a_study_of_another_kind_is_refused_by_what_it_does(
    capsys: Capture, arguments: list[str], complaint: str
) -> None:
    assert main(arguments) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.slow
def test_an_old_search_goes_on_and_its_winner_can_be_taken(capsys: Capture) -> None:
    assert main(["search", "--resume", "--trials", "4", "--workers", "1"]) == 0
    assert "mine" in capsys.readouterr().out
    with Ledger.read("sqlite:///nas.db") as ledger:
        assert [trial.number for trial in ledger.trials("mine")] == [0, 1, 2, 3]
    done = document(capsys, "export", "--best", "-o", "winner")
    assert json.loads(Path("winner/model.json").read_text())["study"] == "mine"
    assert done["test"]["images"] > 0


RECIPE = "epochs: 1\ndata_share: 0.05\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "said", [["--recipe", "short.yaml", "--data", "digits"], pytest.param(["--epochs", "1"], marks=pytest.mark.slow)]
)
def test_an_architecture_of_a_comparison_is_trained(capsys: Capture, said: list[str]) -> None:
    Path("short.yaml").write_text(RECIPE)
    assert document(capsys, "train", "pair:70dff", *said, "-o", "trained")["id"] == "70dff3e05d97"
    assert Path("trained/architecture.yaml").is_file()
