"""Waiting for a database that is away: a server that restarts, a network that is cut."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from nas.errors import LedgerError
from nas.ledger.failures import is_passing, said
from nas.units import format_seconds

T = TypeVar("T")

PATIENCE_SECONDS = 300.0
"""How long a call waits for a database that is away before it gives up."""

OPENING_SECONDS = 10.0
"""The same for opening a ledger: long enough for a server that restarts, short enough for a mistyped address."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0

Notify = Callable[[str], None]
"""Told, in a sentence for the user without a password in it, that a wait has begun and that it is over."""


class Patience:
    """Repeats a transaction that failed because the database was away, with growing pauses.

    What is repeated must not count twice, because the connection may be lost after the server has committed and before
    it could say so.
    """

    def __init__(
        self,
        where: str,
        seconds: float = PATIENCE_SECONDS,
        notify: Notify = lambda message: None,
        *,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Wait for the database at `where`.

        Args:
            where: how messages name it.
            seconds: how long a call waits in all.
            notify: told of a wait once it has begun, after the second failure, and when it is over.
            rng: for the pauses, which differ so that many drivers do not come back at the same moment.
            clock: seconds, growing.
            sleep: waits so many seconds.
        """
        self._where = where
        self._seconds = seconds
        self._notify = notify
        self._rng = rng or random.Random()
        self._clock = clock
        self._sleep = sleep

    def __call__(self, transaction: Callable[[], T]) -> T:
        """What the transaction returns, once it succeeds.

        Raises:
            LedgerError: the database was away for too long.
            DBAPIError: what does not pass by itself.
        """
        try:
            return transaction()
        except DBAPIError as error:
            if not is_passing(error):
                raise
            return self._repeat(transaction, error)

    def _repeat(self, transaction: Callable[[], T], error: DBAPIError) -> T:
        began, pauses, is_announced = self._clock(), self._pauses(), False
        while True:
            pause = next(pauses)
            if self._clock() - began + pause > self._seconds:
                raise LedgerError(self._given_up(error)) from error
            self._sleep(pause)
            try:
                result = transaction()
            except DBAPIError as latest:
                if not is_passing(latest):
                    raise
                error = latest
                if not is_announced:
                    self._notify(self._waiting(error))
                    is_announced = True
            else:
                if is_announced:
                    self._notify(f"ledger {self._where} is back after {format_seconds(self._clock() - began)}")
                return result

    def _pauses(self) -> Iterator[float]:
        longest = _FIRST_PAUSE
        while True:
            yield longest * self._rng.uniform(0.5, 1.0)
            longest = min(2 * longest, _LONGEST_PAUSE)

    def _waiting(self, error: DBAPIError) -> str:
        return f"waiting up to {format_seconds(self._seconds)} for ledger {self._where}: {said(error)}"

    def _given_up(self, error: DBAPIError) -> str:
        return (
            f"ledger {self._where}: the server was away for more than {format_seconds(self._seconds)}: {said(error)}; "
            "check the address and the server; what was stored is safe: when it is back, go on with --resume"
        )
