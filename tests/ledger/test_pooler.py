"""A real pgbouncer in transaction mode between us and the server, as databases for many workers are often run."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from postgres_servers import cleared_postgres
from wire import wire_to

from nas.errors import LedgerError
from nas.ledger import Ledger
from nas.records import TrialState
from nas.search.objectives import Objectives
from nas.search.optuna.mirror import Mirror

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is no Python package: apt-get install pgbouncer"),
]


@pytest.fixture
def pooled(postgres_server: Any) -> Iterator[str]:
    """The address of the pooler; two connections to the server serve everybody, transaction by transaction."""
    cleared_postgres(postgres_server)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="nas-pgb-") as name, wire_to(postgres_server.get_uri()) as wire:
        folder, there = Path(name), sa.make_url(wire.url)
        folder.chmod(0o777)  # pgbouncer refuses to run as root
        (folder / "users.txt").write_text('"postgres" ""\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\npostgres = host=127.0.0.1 port={there.port} dbname=postgres user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n"
            f"pool_mode = transaction\ndefault_pool_size = 2\nunix_socket_dir =\n"
            f"logfile = {folder}/log\npidfile = {folder}/pid\n"
        )
        command = [str(PGBOUNCER), *(["-u", "nobody"] if os.geteuid() == 0 else [])]
        with subprocess.Popen([*command, str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL) as pooler:
            url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
            answers(url.replace("+psycopg", ""))
            yield url
            pooler.terminate()


def answers(url: str) -> None:
    for _ in range(100):
        with suppress(psycopg.OperationalError), psycopg.connect(url, prepare_threshold=None):
            return
        time.sleep(0.05)
    raise RuntimeError("pgbouncer does not answer")


@pytest.mark.slow
def test_a_ledger_and_the_copy_of_a_study_work_through_it(pooled: str, records: Any) -> None:
    with Ledger.open(pooled) as ledger, Ledger.open(pooled) as another:
        ledger.create_study(records.study("alpha"))
        for number in range(30):  # psycopg prepares a statement after five executions, if it is let
            records.write(ledger, records.trial(number, architecture=f"a{number}"))
            ledger.finish("alpha", number, records.success(f"a{number}"), TrialState.DONE)
            assert len(another.trials("alpha")) == number + 1
        trials = ledger.trials("alpha")
    assert len(trials) == 30
    mirror = Mirror(pooled, "pooled", {}, Objectives(), notify=pytest.fail)
    for trial in trials:
        mirror.note(replace(trial, choices={}))
        mirror.copy()
    mirror.close()
    with psycopg.connect(pooled.replace("+psycopg", ""), prepare_threshold=None) as connection:
        counted = "SELECT count(*) FROM trials JOIN studies USING (study_id) WHERE study_name = 'pooled'"
        assert connection.execute(counted).fetchone() == (30,)


def test_preparing_all_the_same_is_explained(pooled: str, records: Any) -> None:
    """Where the address asks for it, and the pooler cannot keep them apart."""
    with Ledger.open(pooled) as ledger:
        ledger.create_study(records.study("alpha"))
    url = f"{pooled}?prepare_threshold=0"

    def use() -> None:
        with Ledger.open(url) as one, Ledger.open(url) as other:
            for number in range(20):
                records.write(one, records.trial(number))
                other.trials("alpha")

    with pytest.raises(LedgerError, match=r"pooler such as pgbouncer .* leave prepare_threshold out"):
        use()


def test_another_threshold_than_a_number_is_refused() -> None:
    with pytest.raises(LedgerError, match="prepare_threshold is a number of executions"):
        Ledger.open("postgresql://ann@127.0.0.1:1/nas?prepare_threshold=often")
