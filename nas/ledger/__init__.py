"""The durable truth of every search: studies, architectures, trials and evaluations in one database.

SQLAlchemy is loaded when `Ledger` is first asked for, so that importing this package stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas.ledger.address import DEFAULT_STORAGE, place, redacted, split_candidate
from nas.ledger.status import Driving, StudyStatus
from nas.ledger.summary import StudySummary

if TYPE_CHECKING:
    from nas.ledger.leases import Lease
    from nas.ledger.ledger import Ledger

__all__ = [
    "DEFAULT_STORAGE",
    "Driving",
    "Lease",
    "Ledger",
    "StudyStatus",
    "StudySummary",
    "place",
    "redacted",
    "split_candidate",
]


def __getattr__(name: str) -> object:
    """Load the classes that need SQLAlchemy (0.2 s) on first use."""
    if name == "Ledger":
        from nas.ledger.ledger import Ledger

        return Ledger
    if name == "Lease":
        from nas.ledger.leases import Lease

        return Lease
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
