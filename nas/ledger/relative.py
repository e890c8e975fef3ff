"""Paths of weights, kept relative to the folder of a SQLite file: a project that is moved keeps its weights.

A server's drivers run anywhere: there paths stay as they are.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa


def folder_of(connection: sa.Connection) -> Path | None:
    """The folder of a SQLite ledger, absolute; None for a server."""
    database = connection.engine.url.database
    if connection.dialect.name != "sqlite" or not database:
        return None
    return Path(database).absolute().parent


def kept_path(path: str | None, folder: Path | None) -> str | None:
    """A path as the database keeps it: relative, where it lies below the folder."""
    return path if path is None or folder is None else relative(path, folder)


def found_path(path: str | None, folder: Path | None) -> str | None:
    """A path that the database kept: absolute again, wherever the folder is by now."""
    return path if path is None or folder is None else str(folder / path)


def relative(path: str, folder: Path) -> str:
    """A path below a folder as one from there, any other as it is."""
    for base in (folder, folder.resolve()):
        if Path(path).is_relative_to(base):
            return Path(path).relative_to(base).as_posix()
    return path
