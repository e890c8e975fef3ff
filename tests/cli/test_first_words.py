"""What a newcomer types first: the space as a word, a ledger by its file, half a name and the tabulator, a mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nas.cli import completion
from nas.cli.main import main
from nas.cli.values import paragraphs
from nas.ledger import Ledger
from nas.ledger.address import storage_url
from nas.records import StudyKind, StudyRecord

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("words", [["tiny"], ["--space", "tiny"], ["-s", "tiny"]])
def test_the_space_is_a_word_or_an_option(words: list[str], capsys: Capture) -> None:
    assert main(["sample", *words, "--budget", "3MFLOPs", "-n", "1", "--json"]) == 0
    (drawn,) = json.loads(capsys.readouterr().out)
    assert drawn["flops"] <= 3_000_000


def test_a_space_that_is_missing_or_named_twice(capsys: Capture) -> None:
    assert main(["sample"]) == 2
    assert "which space? Name a file or a packaged one" in capsys.readouterr().err
    assert main(["sample", "tiny", "--space", "modern"]) == 2
    assert "the space is named twice, tiny and --space modern; name it once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("nas.db", "sqlite:///nas.db"),
        ("./nas.db", "sqlite:///nas.db"),
        ("../team/searches", "sqlite:///../team/searches"),
        ("/data/nas.sqlite3", "sqlite:////data/nas.sqlite3"),
        ("sqlite:///nas.db", "sqlite:///nas.db"),
        ("postgresql+psycopg://ann:secret@db/nas", "postgresql+psycopg://ann:secret@db/nas"),
        ("postgresql:ann:secret@db/nas", "postgresql:ann:secret@db/nas"),
        ("host=db user=ann password=secret", "host=db user=ann password=secret"),
        ("postgres", "postgres"),
        ("", ""),
    ],
)
def test_a_ledger_is_named_by_its_file_or_its_address(said: str, meant: str) -> None:
    assert storage_url(said) == meant


def test_every_command_finds_a_ledger_by_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    with Ledger.open("sqlite:///other.db") as ledger:
        ledger.create_study(StudyRecord(name="mine", kind=StudyKind.SEARCH, definition={}, created="2026-01-01T00:00"))
    assert main(["studies", "--storage", "other.db", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["mine"]
    assert main(["studies", "--storage", "postgres"]) == 2
    assert "write it like 'sqlite:///nas.db' or 'postgresql+psycopg://" in capsys.readouterr().err


def test_half_a_name_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert completion.spaces("ti") == ["tiny"]
    assert "convnext_tiny" in completion.architectures("convnext_t")
    assert completion.recipes("proxy_fa") == ["proxy_faithful", "proxy_fast"]
    assert completion.studies("") == []
    with Ledger.open("sqlite:///nas.db") as ledger:
        ledger.create_study(StudyRecord(name="mine", kind=StudyKind.SEARCH, definition={}, created="2026-01-01T00:00"))
    assert completion.studies("m") == ["mine"]


def test_a_shell_is_answered() -> None:
    asked = {"_NAS_COMPLETE": "complete_bash", "COMP_WORDS": "nas search --space ti", "COMP_CWORD": "3"}
    program = [Path(sys.executable).parent / "nas"]
    done = subprocess.run(program, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["tiny"]


@pytest.mark.parametrize(
    "words", [["search", "--nope"], ["nope"], ["search", "--trials", "many"], ["sample", "a", "b"]]
)
def test_every_mistake_is_told_alike(words: list[str], capsys: Capture) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert said.rstrip().endswith("--help` says what there is")


def test_a_help_breaks_its_lines_where_the_terminal_ends() -> None:
    assert paragraphs("One\n    sentence.\n\n    Another\n    one.\n    ") == "One sentence.\n\nAnother one."
