"""Where a ledger lives: the address a user writes, and the words we print for it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from nas.errors import UserError

DEFAULT_STORAGE = "sqlite:///nas.db"
"""The ledger a command uses when none is named: a SQLite file in the working directory."""

_HIDDEN = "***"
# Greedy, because a password may itself hold '@', ':' or '/'; the scheme may be missing in what somebody has mistyped.
_CREDENTIALS = re.compile(r"\A(?P<user>[^:/]*://[^:]*|(?![^:/]*://)[^:]*):.*@", re.DOTALL)
_SECRET_OPTION = re.compile(r"([?&][^=&]*passw[^=&]*=)[^&]*", re.IGNORECASE)
_NO_FILE = re.compile(r"\A\s*\Z|://|[=@?]|\A\w{2,}(\+\w+)?:")  # addresses, complete or mistyped
_FILES = (".db", ".sqlite", ".sqlite3")
# libpq's own way of writing an address: host=db password='a b'; a passphrase (sslpassword) is one, too.
_SECRET_WORD = re.compile(r"(\w*passw\w*\s*=\s*)(?:'(?:[^'\\]|\\.)*'?|[^\s&]+)", re.IGNORECASE)
_SQLITE = re.compile(r"sqlite(\+\w+)?:///(?P<path>[^?]*)")


def split_candidate(reference: str) -> tuple[str, str]:
    """The study and the id, or its beginning, of `STUDY:ID`.

    >>> split_candidate("mine:03148755238f")
    ('mine', '03148755238f')

    Raises:
        UserError: it is not written so.
    """
    study, _, identity = reference.rpartition(":")
    if not study or not identity:
        raise UserError(f"cannot read {reference!r}; write STUDY:ID, as `nas pareto` and `nas studies` show them")
    return study, identity


def storage_url(storage: str) -> str:
    """The address of a ledger that somebody names by its file, or by its address already.

    >>> storage_url("nas.db")
    'sqlite:///nas.db'
    >>> storage_url("/data/team.db")
    'sqlite:////data/team.db'
    >>> storage_url("postgresql+psycopg://ann@db.example/nas")
    'postgresql+psycopg://ann@db.example/nas'

    A word that is no file yet, has no folder and does not end in `.db`, `.sqlite` or `.sqlite3` is no file but a
    mistake, and stays as it is.
    """
    if _NO_FILE.search(storage):
        return storage
    path = Path(storage).expanduser()
    is_file = len(path.parts) > 1 or path.suffix in _FILES or path.is_file()
    return f"sqlite:///{path}" if is_file else storage


def storage_beside(storage: str, folder: Path) -> str:
    """The address of a ledger that a file in `folder` names: its own path is from there.

    >>> storage_beside("nas.db", Path("runs"))
    'sqlite:///runs/nas.db'
    >>> storage_beside("/data/team.db", Path("runs"))
    'sqlite:////data/team.db'
    """
    url = storage_url(storage)
    match = _SQLITE.fullmatch(url)
    return url if match is None or not match["path"] else f"sqlite:///{folder / match['path']}"


def redacted(url: str) -> str:
    """The address without its password, safe to print and to log.

    >>> redacted("postgresql+psycopg://ann:secret@db.example/nas")
    'postgresql+psycopg://ann:***@db.example/nas'
    >>> redacted("host=db.example user=ann password='a secret' dbname=nas")
    'host=db.example user=ann password=*** dbname=nas'
    """
    if _SQLITE.match(url):
        return url
    without = _SECRET_OPTION.sub(rf"\1{_HIDDEN}", _CREDENTIALS.sub(rf"\g<user>:{_HIDDEN}@", url))
    return _SECRET_WORD.sub(rf"\1{_HIDDEN}", without)


def file_name(url: str) -> str:
    """What files that belong to a ledger are called after: its own name, or that of a server's database.

    >>> file_name("sqlite:////data/team.db")
    'team.db'
    >>> file_name("postgresql+psycopg://ann:secret@db.example:5432/nas")
    'nas@db.example'
    """
    match = _SQLITE.match(url)
    if match is not None:
        return Path(match["path"]).name
    server = urlsplit(url)
    return re.sub(r"[^\w.@-]", "_", f"{server.path.strip('/')}@{server.hostname or 'localhost'}")


def place(url: str) -> str:
    """How messages name a ledger: the path of a SQLite file, otherwise the redacted address.

    >>> place("sqlite:///nas.db")
    './nas.db'
    """
    match = _SQLITE.match(url)
    if match is None or not match["path"]:
        return redacted(url)
    path = match["path"]
    return path if path.startswith(("/", ".", "\\")) or path[1:2] == ":" else f"./{path}"
