"""A study as it stands: who drives it, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from nas.pulse import Pulse
from nas.records import Plain, StudyKind


class Driving(StrEnum):
    """Whether a study has a driver."""

    RUNNING = "running"
    SILENT = "silent"  # its driver took it and gave no sign of life for too long, or is dead
    IDLE = "idle"  # nobody drives it


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyStatus:
    """What can be known of a study from anywhere.

    Attributes:
        kind: what the study does.
        driving: whether it has a driver.
        driver: `host:pid` of the one that has it, or had it last; empty if nobody is known.
        since: when that one took it, in seconds since 1970; None where nobody has it.
        heard: seconds since its last sign of life; None where nobody has it.
        pulse: how far it is. While it runs, as its driver last said; else counted from what the ledger holds, without
            workers.
        pulse_age: seconds since the driver said so; None if none ever did.
    """

    kind: StudyKind
    driving: Driving
    driver: str
    since: float | None
    heard: float | None
    pulse: Pulse
    pulse_age: float | None

    def to_dict(self) -> Mapping[str, Plain]:
        """JSON-ready; `since` as ISO 8601, UTC."""
        return {
            "study": self.pulse.study,
            "kind": self.kind.value,
            "state": self.driving.value,
            "driver": self.driver,
            "since": None if self.since is None else iso(self.since),
            "heard_seconds_ago": self.heard,
            "pulse_seconds_ago": self.pulse_age,
            "pulse": self.pulse.to_dict(),
        }


def iso(moment: float) -> str:
    """ISO 8601, UTC, of seconds since 1970."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
