"""`nas report` from the command line: its page, its rows, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report" / "study"))

from made_up import HOSTILE, add_study

from nas.cli.main import main
from nas.ledger import Ledger


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'nas.db'}"
    with Ledger.open(url) as ledger:
        add_study(ledger, "made-up", 24)
        add_study(ledger, HOSTILE, 24, hostile=True)
    return url


def test_a_page_is_written_whole(storage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "made-up", "--storage", storage, "-o", "out/page.html"]) == 0
    text = (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>\n")
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["page.html"]
    assert "page.html" in capsys.readouterr().err


def test_rows_are_printed_and_no_page_is_written(
    storage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "made-up", HOSTILE, "--storage", storage, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [study["name"] for study in document["studies"]] == ["made-up", HOSTILE]
    assert not list(tmp_path.glob("*.html"))


def test_what_comes_from_files_is_text(storage: str, tmp_path: Path) -> None:
    assert main(["report", HOSTILE, "--storage", storage]) == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<img" not in text
    assert "&lt;img src=x" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["made-op"], "did you mean 'made-up'"),
        (["made-up", "-o", "page.pdf"], "a report is an .html page"),
        (["made-up", "-o", "folder.html"], "this is a folder"),
        (["made-up", "-o", "nas.db/page.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_is_one_message(
    arguments: list[str], message: str, storage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.html").mkdir()
    assert main(["report", *arguments, "--storage", storage]) == 2
    said = capsys.readouterr().err
    assert message in said.replace("\n", " ")
    assert "Traceback" not in said
