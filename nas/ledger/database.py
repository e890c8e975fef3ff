"""One database and its transactions: opened once, waited for where it is away, fenced by the leases that are held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self, TypeVar

import sqlalchemy as sa

from nas.errors import LedgerError
from nas.ledger import leases, revision
from nas.ledger.address import DEFAULT_STORAGE, place, redacted
from nas.ledger.engine import Mode, connect, for_writing
from nas.ledger.failures import explained
from nas.ledger.leases import Lease
from nas.ledger.patience import OPENING_SECONDS, Notify, Patience

T = TypeVar("T")
Query = Callable[[sa.Connection], T]
"""What is done in a transaction; done again where the connection was lost."""

_RELEASE_SECONDS = 2.0  # a lease that cannot be given back expires by itself: not worth a long wait


class Database:
    """Does what the ledger's methods ask, each in a transaction of its own."""

    def __init__(self, engine: sa.Engine, url: str, *, patience: float, notify: Notify) -> None:
        self.engine = engine
        self.where = where = place(url)
        self.as_option = [] if url == DEFAULT_STORAGE else ["--storage", redacted(url)]
        self._writer = for_writing(engine)
        self._patience = Patience(where, patience, notify)
        self._held: dict[str, str] = {}  # tokens of the leases by study

    @classmethod
    def open(cls, url: str, mode: Mode, *, patience: float, notify: Notify) -> Self:
        """Open a database whose tables are, then, of the newest revision; raises LedgerError."""
        where = place(url)
        engine = connect(url, mode)

        def prepare() -> None:
            if mode is Mode.READ and revision.is_older(engine):
                _upgrade(url, where)
            revision.prepare(engine, where, mode)

        try:
            with explained(where):
                Patience(where, min(patience, OPENING_SECONDS), notify)(prepare)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, url, patience=patience, notify=notify)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def read(self, query: Query[T]) -> T:
        """What a query returns."""

        def transaction() -> T:
            with self.engine.connect() as connection:
                return query(connection)

        with explained(self.where):
            return self._patience(transaction)

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A connection to read everything as it is at one moment, without patience."""
        with explained(self.where), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":  # SQLite always does
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def write(self, change: Query[T]) -> T:
        """Do something, unless a lease was lost."""

        def fenced(connection: sa.Connection) -> T:
            self._require_leases(connection)
            return change(connection)

        return self._change(fenced, self._patience)

    def write_once(self, change: Query[T]) -> T:
        """Do something that is never repeated: what it fails at is not done."""
        with explained(self.where), self._writer.begin() as connection:
            self._require_leases(connection)
            return change(connection)

    @contextmanager
    def lease(self, study: str, holder: str) -> Iterator[Lease]:
        """Hold the lease of a study, without which nothing is written meanwhile; raises StudyError."""
        token = leases.new_token()
        self._change(lambda connection: leases.correct_future(connection, study), self._patience)
        self._change(lambda connection: leases.acquire(connection, study, holder, token), self._patience)
        self._held[study] = token

        def heartbeat() -> None:
            self._change(lambda connection: leases.renew(connection, study, token), self._patience)

        try:
            yield Lease(study, holder, heartbeat)
        finally:
            if self._held.get(study) == token:
                del self._held[study]
            with suppress(LedgerError):
                in_haste = Patience(self.where, _RELEASE_SECONDS)
                self._change(lambda connection: leases.release(connection, study, token), in_haste)

    def _require_leases(self, connection: sa.Connection) -> None:
        for study, token in self._held.items():
            leases.require(connection, study, token)

    def _change(self, change: Query[T], patience: Patience) -> T:
        def transaction() -> T:
            with self._writer.begin() as connection:
                return change(connection)

        with explained(self.where):
            return patience(transaction)


def _upgrade(url: str, where: str) -> None:
    """Bring a ledger that is only read to the newest revision."""
    engine = connect(url, Mode.WRITE)
    try:
        with explained(where):
            revision.prepare(engine, where, Mode.WRITE)
    except LedgerError as error:
        raise LedgerError(
            f"ledger {where} was written by an older nas and cannot be brought up to date from here ({error}); "
            "run `nas studies` once where it may be written"
        ) from None
    finally:
        engine.dispose()
