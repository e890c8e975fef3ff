from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import nas.ledger
from nas.errors import LedgerError
from nas.ledger import Ledger
from nas.ledger.revision import REVISIONS, VERSION_TABLE
from nas.ledger.tables import metadata

MIGRATIONS = Path(nas.ledger.__file__).parent / "migrations"


def is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    return kind != "table" or str(name).startswith("nas_")


@pytest.mark.parametrize("begun", ["new", "old"])
def test_a_database_is_brought_to_what_the_tables_say(empty_url: str, begun: str) -> None:
    if begun == "old":
        begin_with_the_first_revision(empty_url)
    Ledger.open(empty_url).close()
    engine = sa.create_engine(empty_url)
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "include_object": is_ours}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        tables = sa.inspect(connection).get_table_names()
        version = sa.inspect(connection).get_pk_constraint(VERSION_TABLE)
    engine.dispose()
    assert differences == []
    assert version["name"] == f"{VERSION_TABLE}_pkc"
    assert all(table.startswith("nas_") for table in tables)


def test_the_known_revisions_are_those_of_the_migrations() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    assert tuple(step.revision for step in script.walk_revisions())[::-1] == REVISIONS


@pytest.mark.parametrize("opening", [Ledger.open, Ledger.read])
def test_a_ledger_of_the_first_revision_is_brought_up_to_date_with_its_rows(
    empty_url: str, records: Any, opening: Any
) -> None:
    begin_with_the_first_revision(empty_url)
    for _ in range(2):
        with opening(empty_url) as ledger:
            (trial,) = ledger.trials("old")
            assert trial.evaluation is not None
            assert (trial.attempts, trial.evaluation.accuracy, trial.evaluation.phases) == (1, 0.5, {})
            assert ledger.find(records.key("a0")) == trial.evaluation


def begin_with_the_first_revision(url: str) -> None:
    engine = sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, REVISIONS[0])
        for row in FIRST_ROWS:
            connection.execute(sa.text(row))
    engine.dispose()


FIRST_ROWS = (
    "INSERT INTO nas_studies VALUES ('old', '{}', '2026-01-01T00:00:00+00:00')",
    "INSERT INTO nas_architectures VALUES ('a0', '{}')",
    "INSERT INTO nas_evaluations (id, study, architecture, recipe, data, seed, rung, accuracy, curve, images, seconds, "
    "train_seconds, peak_memory, worker, message, traceback, finished) VALUES "
    "(1, 'old', 'a0', 'r1', 'd1', 0, 0, 0.5, '[2.5]', 7, 1.0, 1.0, 0, 'host:1', '', '', '2026-01-01T00:00:00+00:00')",
    "INSERT INTO nas_trials VALUES ('old', 0, 'a0', '{}', '{}', '{}', 'done', '{}', 1, 1, '2026-01-01T00:00:00+00:00')",
)


def test_opening_again_keeps_everything(ledger: Ledger, url: str, records: Any) -> None:
    records.write(ledger, records.trial(0))
    for _ in range(2):
        with Ledger.open(url) as again:
            assert again.trials("alpha") == [records.trial(0)]
    with Ledger.open(url, create=False) as again, Ledger.read(url) as reader:
        assert again.trials("alpha") == reader.trials("alpha") == [records.trial(0)]


def test_a_ledger_is_begun_and_opened_without_alembic(empty_url: str) -> None:
    code = f"""
import sys
from nas.ledger import Ledger
for _ in range(2):
    Ledger.open({empty_url!r}).close()
assert "alembic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_several_may_create_the_ledger_at_once(empty_url: str) -> None:
    def open_and_close(_: int) -> bool:
        with Ledger.open(empty_url) as ledger:
            return ledger.studies() == []

    code = f"from nas.ledger import Ledger\nLedger.open({empty_url!r}).close()"
    others = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(open_and_close, range(8)))
    assert [other.wait() for other in others] == [0, 0]


def test_a_ledger_of_a_newer_program_is_refused(ledger: Ledger, url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    try:
        for opening in (Ledger.open, Ledger.read):
            with pytest.raises(LedgerError, match=r"newer nas .revision 9999; this one knows up to .*upgrade nas"):
                opening(url)
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '{REVISIONS[-1]}'"))
        engine.dispose()


@pytest.mark.parametrize("opening", [lambda url: Ledger.open(url, create=False), Ledger.read], ids=["open", "read"])
def test_a_database_without_a_ledger_is_refused_and_left_alone(empty_url: str, opening: Any) -> None:
    if empty_url.startswith("sqlite"):
        sqlite3.connect(empty_url.removeprefix("sqlite:///")).close()
        Path(empty_url.removeprefix("sqlite:///")).touch()
    with pytest.raises(LedgerError, match=r"no ledger at .*; run `nas search` first, or name one with --storage"):
        opening(empty_url)
    engine = sa.create_engine(empty_url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_missing_file_is_named_as_a_user_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    message = r"^no ledger at \./nas\.db; run `nas search` first, or name one with --storage$"
    with pytest.raises(LedgerError, match=message):
        Ledger.open("sqlite:///nas.db", create=False)
    with pytest.raises(LedgerError, match=message):
        Ledger.read("sqlite:///nas.db")
    assert list(tmp_path.iterdir()) == []


def test_a_path_with_odd_characters_is_a_path(tmp_path: Path, records: Any) -> None:
    odd = tmp_path / "50% of my #runs & Ünïcode"
    odd.mkdir()
    with Ledger.open(f"sqlite:///{odd / 'a b.db'}") as ledger:
        ledger.create_study(records.study("alpha"))
    assert (odd / "a b.db").stat().st_size > 0


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nas.db", "cannot read 'nas.db' as the address of a ledger; write it like 'sqlite:///nas.db'"),
        ("", "cannot read '' as the address"),
        (
            "postgresql://ann:p@secret@db/nas",
            r"password in postgresql://ann:\*\*\*@db/nas holds an '@'; write it as %40",
        ),
        ("mysql://ann:secret@db/nas", r"cannot live in 'mysql' \(mysql://ann:\*\*\*@db/nas\)"),
        ("sqlite+aiosqlite:///nas.db", "cannot live in 'sqlite.aiosqlite'"),
        ("sqlite://", "must outlive the process"),
        ("sqlite:///:memory:", "must outlive the process"),
        ("sqlite:///nas.db?timout=3", r"\./nas\.db: a SQLite ledger takes no options, got timout"),
        ("sqlite:////nowhere/runs/nas.db", "there is no folder /nowhere/runs; create it first"),
        ("sqlite:////proc/nas.db", "ledger /proc/nas.db: the file cannot be opened or created; check the permissions"),
        ("sqlite:////tmp", "/tmp is a folder; name a file in it"),
    ],
)
def test_an_address_that_cannot_be_is_explained(url: str, message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        Ledger.open(url)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"not a database " * 1000)
    for opening in (Ledger.open, Ledger.read):
        with pytest.raises(LedgerError, match=r"weights\.bin: it is not a SQLite database; name another file"):
            opening(f"sqlite:///{file}")
    assert file.read_bytes() == b"not a database " * 1000
    assert list(tmp_path.iterdir()) == [file]


def test_a_damaged_ledger_is_reported(tmp_path: Path, records: Any) -> None:
    file = tmp_path / "nas.db"
    with Ledger.open(f"sqlite:///{file}") as ledger:
        ledger.create_study(records.study("alpha"))
        records.write(ledger, *(records.trial(number, f"a{number}") for number in range(200)))
    content = file.read_bytes()
    file.write_bytes(content[:8192] + bytes(len(content) - 8192))
    with (
        pytest.raises(LedgerError, match="damaged; restore the file from a copy"),
        Ledger.open(f"sqlite:///{file}") as ledger,
    ):
        ledger.trials("alpha")


def test_a_reader_cannot_write(ledger: Ledger, url: str, records: Any) -> None:
    # Patience 0: a server that is read-only may be a standby that takes over in a moment, and would be waited for.
    with Ledger.read(url, patience=0) as reader, pytest.raises(LedgerError, match="read-only"):
        reader.create_study(records.study("beta"))


@pytest.mark.slow
def test_a_full_disk_is_reported_and_loses_nothing(tmp_path: Path, records: Any) -> None:
    url = f"sqlite:///{tmp_path / 'nas.db'}"
    with Ledger.open(url) as ledger:
        ledger.create_study(records.study("alpha"))
        records.write(ledger, records.trial(0))
    code = f"""
import resource, signal
from nas.errors import LedgerError
from nas.ledger import Ledger
from nas.records import TrialRecord, TrialState
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Ledger.open({url!r}) as ledger:
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
    try:
        for number in range(1, 10_000):
            trial = TrialRecord(number=number, architecture_id="a0", choices={{"x": "y" * 1000}}, cost={{}},
                                overrun={{}}, state=TrialState.QUEUED)
            ledger.write_trials("alpha", [trial], architectures={{}})
            print(number, flush=True)
    except LedgerError as error:
        print(error, flush=True)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    *numbers, message = done.stdout.splitlines()
    assert message == f"ledger {tmp_path / 'nas.db'}: the disk cannot be read or written; check it and its free space"
    with Ledger.open(url) as ledger:
        assert len(ledger.trials("alpha")) == 1 + len(numbers)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become somebody without rights")
def test_an_old_ledger_that_may_not_be_written_is_one_message() -> None:
    with tempfile.TemporaryDirectory() as folder:
        begin_with_the_first_revision(f"sqlite:///{folder}/nas.db")
        os.chmod(folder, 0o755)
        code = f"""
import os
from alembic import command, config
from nas.errors import LedgerError
from nas.ledger import Ledger
os.setgid(65534)
os.setuid(65534)
try:
    Ledger.read("sqlite:///{folder}/nas.db")
except LedgerError as error:
    print(error)
"""
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "was written by an older nas and cannot be brought up to date from here" in done.stdout
    assert "run `nas studies` once where it may be written" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become somebody without rights")
def test_a_ledger_in_a_folder_that_may_not_be_written_can_be_read(tmp_path: Path, records: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/nas.db"
        with Ledger.open(url) as ledger:
            ledger.create_study(records.study("alpha"))
        os.chmod(folder, 0o755)
        assert looked_at_by_nobody(url) == "alpha"
        with Ledger.open(url) as ledger:
            ledger.create_study(records.study("beta", created="2027-01-01T00:00:00+00:00"))
            assert looked_at_by_nobody(url) == "beta"


def looked_at_by_nobody(url: str) -> str:
    """The latest study, as a process without rights reads it, which is then refused to write."""
    code = f"""
import os
from nas.errors import LedgerError
from nas.ledger import Ledger
os.setgid(65534)
os.setuid(65534)
with Ledger.read({url!r}) as ledger:
    print(ledger.latest_study())
try:
    with Ledger.open({url!r}) as ledger:
        with ledger.lease("alpha", holder="h:1"):
            pass
except LedgerError as error:
    assert "check the permissions of the file and its folder" in str(error), error
else:
    raise AssertionError("wrote without rights")
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.postgres
@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://ann:s3cret@127.0.0.1:1/nas", "postgres://ann@127.0.0.1:1/nas?password=s3cret"],
)
def test_a_server_that_is_away_is_reported_without_the_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.ledger.database.OPENING_SECONDS", 0.3)
    with pytest.raises(LedgerError, match=r"the server was away .*check the address") as caught:
        Ledger.open(url)
    assert "127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.postgres
def test_a_database_that_does_not_exist_is_reported(postgres_server: Any) -> None:
    with pytest.raises(LedgerError, match='database "nowhere" does not exist'):
        Ledger.open(postgres_server.get_uri(database="nowhere", driver="psycopg"))


@pytest.mark.postgres
def test_a_server_that_was_restarted_between_two_calls_is_found_again(postgres_server: Any) -> None:
    with Ledger.open(postgres_server.get_uri(driver="psycopg")) as ledger:
        before = ledger.studies()
        postgres_server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        assert ledger.studies() == before
