"""`nas studies`, on a ledger with a search, a comparison that took two of its evaluations over, and Optuna's copy."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import optuna
import pytest
from answers import Capture, complaint, document

from nas.cli.main import main
from nas.ledger import Ledger
from nas.search.manage import _Folders

DUMP = Path(__file__).parent.parent / "ledger" / "before_kinds.sql"
WEIGHTS = Path("nas.db.weights")
SHARED, OWN = "70dff3e05d97.safetensors", "4b4b1e21a95d.safetensors"


@pytest.fixture(autouse=True)
def _ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("nas.db") as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))
    connection.close()
    (WEIGHTS / "mine" / "checkpoints").mkdir(parents=True)
    (WEIGHTS / "mine" / SHARED).write_bytes(b"123456")
    (WEIGHTS / "mine" / OWN).write_bytes(b"12345678")
    (WEIGHTS / "mine" / "checkpoints" / "one.ckpt").write_bytes(b"12")


def files() -> list[str]:
    return sorted(str(path.relative_to(WEIGHTS)) for path in WEIGHTS.rglob("*") if path.is_file())


def copies(storage: str = "sqlite:///nas.db") -> dict[str, int]:
    """Trials of Optuna's copies, by study."""
    found = optuna.get_all_study_summaries(storage)
    return {one.study_name: one.n_trials for one in found}


def test_a_study_is_renamed_with_its_files_and_optunas_copy(capsys: Capture) -> None:
    assert document(capsys, "studies", "--rename", "mine", "yours") == {"study": "yours", "was": "mine"}
    assert files() == [f"yours/{OWN}", f"yours/{SHARED}", "yours/checkpoints/one.ckpt"]
    assert copies() == {"yours": 3}
    with Ledger.read("sqlite:///nas.db") as ledger:
        assert str((WEIGHTS / "yours" / SHARED).absolute()) in ledger.weights_of("yours")
    assert document(capsys, "search", "--resume", "--study", "yours", "--dry-run")["study"] == "yours"


@pytest.mark.slow
def test_a_deleted_study_leaves_to_others_what_they_use(capsys: Capture) -> None:
    gone = document(capsys, "studies", "--delete", "mine", "--yes")
    assert gone == {"study": "mine", "files": 2, "bytes": 10, "handed_over": 2}
    assert files() == [f"pair/{SHARED}"]
    assert not (WEIGHTS / "mine").exists()
    assert copies() == {}
    assert {row["id"] for row in document(capsys, "pareto", "pair")} == {"70dff3e05d97", "c993a01b76e8"}
    assert main(["studies", "--delete", "pair", "--yes"]) == 0
    assert "pair is deleted, and 1 file with it: 6 B made free" in capsys.readouterr().out
    with sqlite3.connect("nas.db") as connection:
        for table in ("nas_trials", "nas_evaluations", "nas_architectures", "nas_reports", "nas_leases"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    connection.close()


def test_only_folders_of_the_ledgers_own_are_removed_for_a_study_of_a_server(tmp_path: Path) -> None:
    """Rows of a shared server may name any path, and a local ledger may have a study of the same name."""
    server = "postgresql+psycopg://ann@db.example/team"
    own, elsewhere = (tmp_path / place / "team@db.example.weights" / "mine" for place in ("", "elsewhere"))
    others = (tmp_path / "home" / "mine", tmp_path / "home" / "mine" / "mine", (WEIGHTS / "mine").absolute())
    listed = [str(folder / OWN) for folder in (elsewhere, *others)]
    assert set(_Folders.of(server, "mine", [*listed, f"mine/{OWN}", OWN, ""]).all) == {own, elsewhere}


def test_nothing_is_deleted_that_nobody_agreed_to(capsys: Capture) -> None:
    assert "say --yes" in complaint(capsys, "studies", "--delete", "mine")
    assert len(files()) == 3
    with Ledger.open("sqlite:///nas.db") as ledger, ledger.lease("mine", holder="elsewhere:1"):
        for change in (["--delete", "mine", "--yes"], ["--rename", "mine", "yours"]):
            assert "is being driven by elsewhere:1" in complaint(capsys, "studies", *change)
    assert len(files()) == 3


def test_a_study_is_copied_into_another_ledger(capsys: Capture) -> None:
    Path("there").mkdir()
    url = "sqlite:///there/all.db"
    done = document(capsys, "studies", "mine", "pair", "--copy-to", url)
    assert [(one["study"], one["trials"], one["files"]) for one in done["studies"]] == [("mine", 3, 1), ("pair", 4, 1)]
    assert copies(url) == {"mine": 3}
    assert Path(f"there/all.db.weights/mine/{SHARED}").read_bytes() == b"123456"
    assert main(["studies", "--delete", "mine", "--yes"]) == 0
    capsys.readouterr()
    assert len(document(capsys, "pareto", "--storage", url)) == 2
    assert Path(f"there/all.db.weights/mine/{SHARED}").is_file()
    assert "has a study 'pair' already; rename that one first (nas studies --rename" in complaint(
        capsys, "studies", "--copy-to", url
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rename", "mine", "../up"], "cannot name a study"),
        (["--rename", "mine", "pair"], "there is a study 'pair' already"),
        (["--rename", "mien", "yours"], "did you mean 'mine'?"),
        (["--delete", "mien", "--yes"], "did you mean 'mine'?"),
        (["mien"], "did you mean 'mine'?"),
        (["--yes"], "name it with --delete"),
        (["mine", "--delete", "pair", "--yes"], "leave out mine"),
        (["--delete", "pair", "--copy-to", "sqlite:///x.db"], "give one of them"),
    ],
)
def test_what_cannot_be_done_is_said_and_not_done(capsys: Capture, arguments: list[str], said: str) -> None:
    assert said in complaint(capsys, "studies", *arguments)
    assert len(files()) == 3
    assert {one["name"] for one in document(capsys, "studies")} >= {"mine", "pair"}
