"""Ledgers that somebody has damaged: every command says so in one message, or does what it still can."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from small_studies import TRIALS
from sqlalchemy import Double

from nas.cli.main import main
from nas.ledger.tables import Json, Number, PlainText, Word, metadata

COMMANDS = (
    *(["status", "mine"], ["studies"], ["pareto", "mine"], ["pareto", "mine", "compared"], ["pareto"]),
    *(["export", "mine", "--best", "-o", "out"], ["report", "mine", "-o", "out.html"], ["analyze", "mine"]),
    *(
        ["search", "--resume", "--study", "mine", "--dry-run"],
        ["search", "--resume", "--study", "mine", "--trials", str(TRIALS)],
    ),
    *(["bench", "ledgers", "nas.db"], ["shrink", "mine", "-o", "narrow.yaml"], ["refine", "mine", "--dry-run"]),
    *(["studies", "--copy-to", "sqlite:///other.db"], ["studies", "--rename", "mine", "yours"]),
    *(
        ["latency", "--records"],
        ["latency", "--records", "--json"],
        ["latency", "--export", "out.json"],
        ["show", "mine:FIRST"],
        ["status", "mine:FIRST"],
    ),
)
BROKEN = ("{", "[]", "null", '"x"', "5", "{}", '["x"]', '{"x": 1}', "[[[[", "\x00")
WRONG: tuple[Any, ...] = (None, [], {}, "x", 5, [{}], {"x": []})
TABLES = [table.name for table in metadata.sorted_tables] + ["nas_alembic_version"]
JSON_COLUMNS = [
    (table.name, column.name) for table in metadata.sorted_tables for column in table.c if isinstance(column.type, Json)
]


class Damage(NamedTuple):
    """What was done to a ledger."""

    words: str
    do: Callable[[sqlite3.Connection], object]

    def __str__(self) -> str:
        return self.words


def dropped() -> Iterator[Damage]:
    for table in TABLES:
        yield Damage(f"no {table}", lambda db, table=table: db.execute(f"DROP TABLE {table}"))


def broken() -> Iterator[Damage]:
    for table, column in JSON_COLUMNS:
        for value in BROKEN:
            yield Damage(f"{column} of {table} is {value!r}", setting(table, column, value))


def misworded() -> Iterator[Damage]:
    for table in metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, Word):
                for value in ("x", "", 5):
                    yield Damage(f"{column.name} of {table.name} is {value!r}", setting(table.name, column.name, value))


def misnumbered() -> Iterator[Damage]:
    """Other things than numbers in their columns, and bytes in those of texts."""
    for table in metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, Number):
                for value in ("x", "", b"\0\xff", 2.5 if column.type.kept_as is not Double else "1,5"):
                    yield Damage(f"{column.name} of {table.name} is {value!r}", setting(table.name, column.name, value))
            elif isinstance(column.type, PlainText):
                yield Damage(f"{column.name} of {table.name} is bytes", setting(table.name, column.name, b"\0\xff"))


def redefined() -> Iterator[Damage]:
    """A word of the search's definition, or of what stands below it, with another value or without one."""
    for path in (*WORDS, *((word, inner) for word in ("space", "task", "recipe") for inner in INNER[word])):
        for value in WRONG:
            yield Damage(f"{path} of the definition is {value!r}", redefining(path, value))
        yield Damage(f"no {path} in the definition", redefining(path, ...))


WORDS = [
    (word,)
    for word in (
        *("space", "budget", "task", "data", "fingerprint", "recipe", "sampler", "seed", "objectives", "control"),
        *("start", "reduction", "plugins", "trials", "evaluate", "chosen_by", "yardstick", "profiles", "guided_by"),
    )
]
INNER = {
    "space": ("name", "text"),
    "task": ("resolution", "classes", "channels"),
    "recipe": ("epochs", "rungs", "resolution", "batch"),
}


def setting(table: str, column: str, value: Any) -> Callable[[sqlite3.Connection], object]:
    def do(db: sqlite3.Connection) -> None:
        db.execute("PRAGMA ignore_check_constraints = ON")
        row = db.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0]
        db.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE rowid = ?", (value, row))

    return do


def redefining(path: tuple[str, ...], value: Any) -> Callable[[sqlite3.Connection], object]:
    def do(db: sqlite3.Connection) -> None:
        definition = json.loads(db.execute("SELECT definition FROM nas_studies WHERE name = 'mine'").fetchone()[0])
        place = definition
        for word in path[:-1]:
            place = place[word]
        if value is ...:
            place.pop(path[-1], None)
        else:
            place[path[-1]] = value
        db.execute("UPDATE nas_studies SET definition = ? WHERE name = 'mine'", (json.dumps(definition),))

    return do


ALL = [*dropped(), *broken(), *redefined(), *misworded(), *misnumbered()]


@pytest.fixture
def place(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(whole, tmp_path / "nas.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def problem_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is wrong with how a command ends; empty where it is right."""
    with closing(sqlite3.connect("nas.db")) as db:
        try:
            first = db.execute("SELECT architecture FROM nas_trials WHERE study = 'mine'").fetchone()[0]
        except sqlite3.Error:
            first = "0123456789ab"
    words = [word.replace("FIRST", str(first)) for word in words]
    capsys.readouterr()
    try:
        code = main(words)
    except BaseException as error:
        return f"{type(error).__name__}: {error!s:.300}"
    said = capsys.readouterr().err
    if code not in (0, 1, 2):
        return f"exit code {code}"
    if "Traceback" in said:
        return "a traceback"
    if code and said.count("error: ") != 1:
        return f"exit code {code}, and said {said!r:.500}"
    return ""


def _slow(*values: Any) -> list[Any]:
    return [pytest.param(one, marks=pytest.mark.slow) for one in values]


_SOME = random.Random(1).sample(ALL, 10)


@pytest.mark.parametrize("damage", [*_SOME[:4], *_slow(*_SOME[4:])], ids=str)
def test_a_damaged_ledger_is_named_in_one_message(
    damage: Damage, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect("nas.db")) as db, db:
        damage.do(db)
    for words in (["status", "mine"], ["studies"], ["pareto", "mine"]):
        assert problem_of(words, capsys) == ""


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("kind", [dropped, broken, redefined, misworded, misnumbered], ids=lambda kind: kind.__name__)
def test_every_command_on_every_damaged_ledger(
    kind: Callable[[], Iterator[Damage]], words: list[str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {}
    whole = Path("nas.db").read_bytes()
    every = list(kind())
    for damage in random.Random(" ".join(words)).sample(every, min(20, len(every))):
        shutil.rmtree("out", ignore_errors=True)
        for leftover in place.glob("*"):
            if leftover.is_file():
                leftover.unlink()
        Path("nas.db").write_bytes(whole)
        with closing(sqlite3.connect("nas.db")) as db, db:
            damage.do(db)
        problem = problem_of(words, capsys)
        if problem:
            wrong[str(damage)] = problem
    assert not wrong


@pytest.mark.parametrize("damage", ["{", *_slow('{"space": 5}', '{"budget": [{}]}', "\0")])
def test_studies_lists_the_others_and_names_the_damaged_one(
    damage: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect("nas.db")) as db, db:
        db.execute("UPDATE nas_studies SET definition = ? WHERE name = 'mine'", (damage,))
    assert main(["studies", "--json"]) == 0
    out, err = capsys.readouterr()
    found = {study["name"]: study for study in json.loads(out)}
    assert found["compared"]["problem"] == ""
    assert (found["mine"]["state"], found["mine"]["counts"]) == ("damaged", {})
    assert found["mine"]["problem"] in err
    assert "nas studies --delete mine" in err
    assert main(["studies"]) == 0
    assert "damaged" in capsys.readouterr().out
    assert main(["studies", "--copy-to", "sqlite:///other.db"]) == 2


def test_a_damaged_study_can_be_deleted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect("nas.db")) as db, db:
        db.execute("UPDATE nas_studies SET definition = '{' WHERE name = 'mine'")
    assert main(["pareto", "mine"]) == 2
    assert "nas studies --delete" in capsys.readouterr().err
    assert main(["studies", "--delete", "mine", "--yes"]) == 0
    assert main(["pareto", "compared"]) == 0


@pytest.mark.parametrize(
    "name",
    [
        "../../up",
        *_slow("x\ny", "/tmp/absolute", "..", ".", "-dash", "a b", "a/b", "", "ü", "a\0b"),
    ],
)
def test_a_studys_name_from_a_database_becomes_no_path_unchecked(
    name: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect("nas.db")) as db, db:
        for table, column in (("studies", "name"), ("trials", "study"), ("evaluations", "study"), ("pulses", "study")):
            db.execute(f"UPDATE nas_{table} SET {column} = ? WHERE {column} = 'mine'", (name,))
        db.execute("UPDATE nas_reports SET study = ? WHERE study = 'mine'", (name,))
    before = there(place)
    for words in (
        ["search", "--resume", "--trials", str(TRIALS + 1)],
        ["search", "--resume", "--checkpoints", "kept", "--trials", str(TRIALS + 1)],
        ["studies", "--copy-to", "sqlite:///other.db"],
        ["refine", name, "--trials", "2"] if name and not name.startswith("-") and "\0" not in name else ["refine"],
    ):
        assert main(words) == 2
        assert "cannot name a study" in capsys.readouterr().err
        (place / "other.db").unlink(missing_ok=True)
    assert there(place) == before
    if name and "\0" not in name:
        assert main(["studies", "--rename", name, "fine"]) == 0
        assert main(["search", "--resume", "--study", "fine", "--dry-run"]) == 0


def there(place: Path) -> set[Path]:
    """What is in the folder and in the one around it, but for what is remembered of images."""
    found = place.parent.rglob("*")
    return {path for path in found if not path.name.startswith("nas.db-") and ".cache" not in path.parts}
