"""Records as a JSON file, so that a device measured once serves a team."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas.architecture import Architecture
from nas.data.atomic import new_file
from nas.errors import UserError
from nas.ledger import Ledger
from nas.measure.profile import Profile
from nas.records import LatencyRecord, Plain

_FORMAT = 1
_MAX_BYTES = 1 << 28


def export_records(ledger: Ledger, records: Sequence[LatencyRecord], file: Path) -> None:
    """Write records and the architectures they are about.

    Raises:
        UserError: the file cannot be written.
    """
    wanted = {one.architecture_id for one in records}
    known = ledger.measured_architectures()
    document = {
        "format": _FORMAT,
        "architectures": {identity: known[identity] for identity in sorted(wanted)},
        "records": [one.to_dict() for one in records],
    }
    try:
        with new_file(file) as temporary:
            temporary.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {file}: {error.strerror}") from error


def import_records(ledger: Ledger, file: Path) -> tuple[int, int]:
    """Take in the records of a file; all of them or, if one is wrong, none.

    Returns:
        How many were new, and how many there were.

    Raises:
        UserError: the file cannot be read, or something in it cannot be true.
    """
    document = _read(file)
    if document.get("format") != _FORMAT:
        raise UserError(f"{file}: no records of `nas latency --export` (format {_FORMAT} expected)")
    canonical = _architectures(document.get("architectures"), file)
    entries = document.get("records")
    if not isinstance(entries, list):
        raise UserError(f"{file}: 'records' must be a list")
    records = [_record(entry, f"{file}: record {index + 1}", canonical) for index, entry in enumerate(entries)]
    used = {one.architecture_id for one in records}
    return ledger.save_latencies(records, {key: canonical[key] for key in used}), len(records)


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise UserError(f"{file}: larger than {_MAX_BYTES >> 20} MiB; this is no file of latency records")
        document = json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_number)
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: no valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise UserError(f"{file}: no records of `nas latency --export`")
    return document


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _architectures(given: Plain, file: Path) -> dict[str, dict[str, Plain]]:
    if not isinstance(given, dict):
        raise UserError(f"{file}: 'architectures' must be a mapping of ids to architectures")
    canonical = {}
    for identity, form in given.items():
        try:
            architecture = Architecture.from_dict(form)
        except (UserError, TypeError, AttributeError) as error:
            raise UserError(f"{file}: architecture {identity!r}: {error}") from error
        if architecture.id != identity:
            raise UserError(f"{file}: architecture {identity!r} has the id {architecture.id}; the file was changed")
        canonical[identity] = architecture.to_dict()
    return canonical


def _record(entry: Plain, where: str, canonical: Mapping[str, Plain]) -> LatencyRecord:
    try:
        record = LatencyRecord.from_dict(entry)
        profile = Profile.model_validate(record.protocol)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{where} cannot be read: {str(error).splitlines()[0]}") from error
    for problem in _problems(record, profile, canonical):
        raise UserError(f"{where}: {problem}")
    return record


def _problems(record: LatencyRecord, profile: Profile, canonical: Mapping[str, Plain]) -> Sequence[str]:
    texts = (record.key.device, record.key.runtime, record.profile_name, record.measured, record.failure)
    checks = {
        f"its architecture {record.architecture_id!r} is not in the file": record.architecture_id in canonical,
        f"its protocol has the id {profile.id}, not {record.key.profile!r}": profile.id == record.key.profile,
        "device, runtime, profile_name, measured and failure must be texts": all(isinstance(t, str) for t in texts),
        "resolution, channels and classes must be whole numbers": all(
            type(one) is int for one in (record.key.resolution, record.key.channels, record.key.classes)
        ),
        "it needs low <= ms <= high above 0 with runs, or a failure": bool(record.failure) or _is_latency(record),
    }
    return [problem for problem, holds in checks.items() if not holds]


def _is_latency(record: LatencyRecord) -> bool:
    times = (record.low, record.ms, record.high)
    if not all(type(one) in (int, float) and math.isfinite(one) and one > 0 for one in times if one is not None):
        return False
    return None not in times and list(times) == sorted(times) and type(record.runs) is int and record.runs > 0  # type: ignore[type-var]
