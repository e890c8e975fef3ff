"""Paths beside a SQLite file, kept relative to its folder: a project that is moved keeps its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

_FOLDER = "ledger_folder"


class PathBeside(sa.types.TypeDecorator[str]):
    """A path that is absolute here, and in a SQLite database relative to its folder, where it lies below that.

    A server's drivers run anywhere: there paths stay as they are.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Relative, where it lies below the folder."""
        folder = _folder_of(dialect)
        return value if value is None or folder is None else relative(value, folder)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Absolute again, wherever the folder is by now."""
        folder = _folder_of(dialect)
        return value if value is None or folder is None else str(folder / value)


def keep_relative_to(folder: Path, engine: sa.Engine) -> None:
    """Let an engine's paths be relative to a folder in the database."""
    vars(engine.dialect)[_FOLDER] = folder.absolute()


def relative(path: str, folder: Path) -> str:
    """A path as the database keeps it."""
    for base in (folder, folder.resolve()):
        if Path(path).is_relative_to(base):
            return Path(path).relative_to(base).as_posix()
    return path


def _folder_of(dialect: sa.Dialect) -> Path | None:
    found: Path | None = vars(dialect).get(_FOLDER)  # of this engine alone, as its dialect is
    return found
