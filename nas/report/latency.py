"""Latencies as rows: ranked, and which differences are noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nas.records import LatencyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRow:
    """One network's latency.

    Attributes:
        name: as it was asked for.
        record: what was measured.
        was_known: whether the ledger had it already.
        ties: names of the networks that this one cannot be told from.
    """

    name: str
    record: LatencyRecord
    was_known: bool = True
    ties: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; milliseconds, bytes, shares."""
        one = self.record
        return {
            "name": self.name,
            "id": one.architecture_id,
            "profile": one.profile_name,
            "profile_id": one.key.profile,
            "resolution": one.key.resolution,
            "classes": one.key.classes,
            "ms": one.ms,
            "low": one.low,
            "high": one.high,
            "p90": one.p90,
            "p90_confidence": one.p90_confidence,
            "runs": one.runs,
            "spread": one.spread,
            "stable": one.is_stable,
            "unstable": list(one.unstable),
            "drift": one.drift,
            "reference_ms": one.reference_ms,
            "peak_memory": one.peak_memory,
            "device": one.key.device,
            "runtime": one.key.runtime,
            "clock": one.protocol.get("clock"),
            "load": one.load,
            "measured": one.measured,
            "known": self.was_known,
            "ties": list(self.ties),
            "failure": one.failure or None,
        }


def ranked(rows: Sequence[LatencyRow]) -> list[LatencyRow]:
    """The fastest first, each with the names of those it cannot be told from; failures last.

    Two networks differ where their intervals, widened by the drift of the machine meanwhile, do not meet; those of two
    tasks are not compared.
    """
    timed = sorted((row for row in rows if row.record.ms is not None), key=lambda row: row.record.ms or 0.0)
    failed = [row for row in rows if row.record.ms is None]
    return [
        LatencyRow(
            name=row.name,
            record=row.record,
            was_known=row.was_known,
            ties=tuple(other.name for other in timed if other is not row and _meet(row.record, other.record)),
        )
        for row in timed
    ] + failed


def _meet(one: LatencyRecord, other: LatencyRecord) -> bool:
    if one.key != other.key:
        return False
    (low, high), (other_low, other_high) = _widened(one), _widened(other)
    return low <= other_high and other_low <= high


def _widened(record: LatencyRecord) -> tuple[float, float]:
    drift = record.drift or 0.0
    return (record.low or 0.0) * (1 - drift), (record.high or 0.0) * (1 + drift)
