"""Every parameter of every command changes something: what would be done, what is written, or what is said."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_tree import Parameter, parameters
from option_place import prepare, prepare_weights, stand_in
from option_words import WORDS

from nas.cli.main import main
from nas.ledger import Ledger

Capture = pytest.CaptureFixture[str]
Observe = Callable[[list[str]], list[str]]

QUICK = ("search --trials", "search --seed", "show --yaml")
WITH_WEIGHTS = ("trained", "weights.pth", "records.json", "no.pth")
TIMES = re.compile(
    r'"seconds": [\d.e-]+|(\d+(\.\d+)? ?(s|min|h|ms|images/s)\b ?)+|\d+ seconds ago'
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+00:00|Z)?"
)
"""What is another one each time."""


@pytest.fixture(scope="session")
def bare(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with something for every command, to be copied."""
    folder = tmp_path_factory.mktemp("bare")
    prepare(folder, whole)
    return folder


@pytest.fixture(scope="session")
def weighty(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with weights."""
    folder = tmp_path_factory.mktemp("weighty") / "here"
    shutil.copytree(bare, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        prepare_weights()
    return folder


@pytest.fixture(scope="module")
def known() -> dict[tuple[str, ...], list[str]]:
    """What has been observed of command lines without the option."""
    return {}


@pytest.fixture
def observe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, request: Any) -> Observe:
    """How a command line ends in a fresh folder: its exit code, what it says, what it would do, and what it leaves."""
    here = tmp_path / "here"
    monkeypatch.setenv("NAS_CACHE", str(here / "cache"))

    def observed(words: list[str]) -> list[str]:
        source = request.getfixturevalue("weighty" if set(words) & set(WITH_WEIGHTS) else "bare")
        monkeypatch.chdir(tmp_path)
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(source, here)
        monkeypatch.chdir(here)
        first = _first_candidate() if any("FIRST" in word for word in words) else ""
        with pytest.MonkeyPatch.context() as patch:
            seen = stand_in(patch)
            capsys.readouterr()
            code = main([word.replace("FIRST", first) for word in words])
        said = capsys.readouterr()
        return [str(code), TIMES.sub("", said.out), TIMES.sub("", said.err), *map(repr, seen), *_files(here)]

    return observed


def _first_candidate() -> str:
    with Ledger.read("sqlite:///nas.db") as ledger:
        return ledger.trials("mine")[0].architecture_id


def _files(folder: Path) -> list[str]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and "cache" not in path.parts)
    return [str(path.relative_to(folder)) + ("" if ".db" in path.name else f": {_hash(path)}") for path in found]


def _hash(path: Path) -> str:
    return hashlib.sha256(TIMES.sub("", path.read_text(errors="replace")).encode()).hexdigest()


def test_every_parameter_has_its_words() -> None:
    assert {str(one) for one in parameters()} == {f"{command} {name}" for command in WORDS for name in WORDS[command]}


@pytest.mark.parametrize(
    "parameter",
    [pytest.param(one, marks=[pytest.mark.slow] * (str(one) not in QUICK)) for one in parameters()],
    ids=str,
)
def test_a_parameter_changes_something(
    parameter: Parameter, observe: Observe, known: dict[tuple[str, ...], list[str]]
) -> None:
    words = WORDS[" ".join(parameter.command)][parameter.option or parameter.name]
    without, said = ([*parameter.command, *one] for one in words)
    if tuple(without) not in known:
        known[tuple(without)] = observe(without)
        assert observe(without) == known[tuple(without)]
    assert observe(said) != known[tuple(without)]
