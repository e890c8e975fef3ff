"""Predictors from what the ledger knows."""

from __future__ import annotations

from collections.abc import Sequence

from nas.architecture import Architecture
from nas.ledger import Ledger
from nas.measure.latencies import latest
from nas.measure.prediction.calibration import Calibration, calibrate
from nas.measure.prediction.features import describe
from nas.records import LatencyKey, LatencyRecord
from nas.task import Task


def calibrated(architectures: Sequence[Architecture], records: Sequence[LatencyRecord], task: Task) -> Calibration:
    """Fitted to some measured networks, those without a latency left out.

    Args:
        architectures: n networks.
        records: theirs, in the same order.
        task: that they were measured for.

    Raises:
        UserError: there are too few.
    """
    pairs = [(one, record.ms) for one, record in zip(architectures, records, strict=True) if record.ms is not None]
    return calibrate([describe(one, task) for one, _ in pairs], [ms for _, ms in pairs])


def known(ledger: Ledger, key: LatencyKey, task: Task) -> tuple[list[Architecture], list[LatencyRecord]]:
    """The networks that the ledger has stable latencies of under a key, by id, and their records."""
    records = latest(ledger.latencies(profile=key.profile), key)
    forms = ledger.measured_architectures() if records else {}
    found = [(Architecture.from_dict(forms[one]), records[one]) for one in sorted(records)]
    return [one for one, _ in found], [record for _, record in found]
