from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas.errors import UserError
from nas.ledger import Ledger
from nas.measure.exchange import export_records, import_records
from nas.measure.latencies import latencies, task_of
from nas.measure.profile import load_profile
from nas.measure.runtimes import RuntimeMissingError
from nas.task import Task
from tests.measure.test_session import LARGE, SMALL, TASK


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path / 'nas.db'}")


def test_a_record_is_reused_and_fresh_measures_again(ledger: Ledger, quick: str) -> None:
    named = load_profile(quick)
    (first,) = latencies([SMALL], named, TASK, ledger)
    again, large = latencies([SMALL, LARGE], named, TASK, ledger)
    (fresh,) = latencies([SMALL], named, TASK, ledger, fresh=True)
    assert (first.was_known, again.was_known, large.was_known, fresh.was_known) == (False, True, False, False)
    assert again.record == first.record
    assert len(ledger.latencies([SMALL.id], named.id)) == 2
    (latest,) = latencies([SMALL], named, TASK, ledger)
    assert latest.record == fresh.record


def test_another_task_profile_or_runtime_is_another_record(ledger: Ledger, quick: str) -> None:
    named = load_profile(quick)
    (first,) = latencies([SMALL], named, TASK, ledger)
    (larger,) = latencies([SMALL], named, Task(resolution=48, classes=10), ledger)
    assert not larger.was_known
    Path(quick).write_text(Path(quick).read_text() + "batch: 2\n")
    (batch,) = latencies([SMALL], load_profile(quick), TASK, ledger)
    assert not batch.was_known
    old = replace(first.record, key=replace(first.record.key, runtime="torch 1.0"), measured="2030-01-01")
    ledger.save_latencies([old], {})
    (now,) = latencies([SMALL], named, TASK, ledger)
    assert now.record == first.record


def test_an_unstable_record_is_not_silently_used(ledger: Ledger, quick: str) -> None:
    named = load_profile(quick)
    (first,) = latencies([SMALL], named, TASK, ledger)
    ledger.save_latencies([replace(first.record, unstable=("spread 50%",), measured="2030-01-01")], {})
    (found,) = latencies([SMALL], named, TASK, ledger)
    assert found.record == first.record


def test_records_travel_by_file(ledger: Ledger, quick: str, tmp_path: Path) -> None:
    latencies([SMALL, LARGE], load_profile(quick), TASK, ledger)
    file = tmp_path / "records.json"
    export_records(ledger, ledger.latencies(), file)
    with Ledger.open(f"sqlite:///{tmp_path / 'other.db'}") as other:
        assert import_records(other, file) == (2, 2)
        assert import_records(other, file) == (0, 2)
        assert other.latencies() == ledger.latencies()
        assert other.measured_architectures() == ledger.measured_architectures()
        assert all(one.was_known for one in latencies([SMALL, LARGE], load_profile(quick), TASK, other))


def test_a_device_elsewhere_serves_by_its_records(ledger: Ledger, quick: str) -> None:
    cuda = load_profile("torch-cuda")
    with pytest.raises(RuntimeMissingError, match="cannot be measured here"):
        latencies([SMALL], cuda, TASK, ledger)
    (here,) = latencies([SMALL], load_profile(quick), TASK, ledger)
    key = replace(here.record.key, profile=cuda.id, device="NVIDIA H100", runtime="torch 2.9")
    ledger.save_latencies([replace(here.record, key=key)], {})
    (found,) = latencies([SMALL], cuda, TASK, ledger)
    assert found.record.key.device == "NVIDIA H100"
    with pytest.raises(RuntimeMissingError, match="no records of it for all"):
        latencies([SMALL, LARGE], cuda, TASK, ledger)


def _wrong(document: Any, change: str) -> None:
    record = document["records"][0]
    match change:
        case "format":
            document["format"] = 9
        case "id":
            document["architectures"][SMALL.id]["drop_path"] = 0.5
        case "missing":
            document["architectures"] = {}
        case "protocol":
            record["protocol"]["batch"] = 7
        case "order":
            record["low"] = 1e9
        case "zero":
            record["ms"] = record["low"] = 0
        case "key":
            record["speed"] = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("format", "format 1 expected"),
        ("id", "the file was changed"),
        ("missing", "is not in the file"),
        ("protocol", "its protocol has the id"),
        ("order", "low <= ms <= high"),
        ("zero", "low <= ms <= high"),
        ("key", "record 1 cannot be read"),
    ],
)
def test_a_file_that_cannot_be_true_is_refused_whole(
    ledger: Ledger, quick: str, tmp_path: Path, change: str, message: str
) -> None:
    latencies([SMALL], load_profile(quick), TASK, ledger)
    file = tmp_path / "records.json"
    export_records(ledger, ledger.latencies(), file)
    document = json.loads(file.read_text())
    _wrong(document, change)
    file.write_text(json.dumps(document))
    with Ledger.open(f"sqlite:///{tmp_path / 'other.db'}") as other:
        with pytest.raises(UserError, match=message):
            import_records(other, file)
        assert other.latencies() == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": NaN}'])
def test_what_is_no_file_of_records_is_refused(ledger: Ledger, tmp_path: Path, text: str) -> None:
    file = tmp_path / "records.json"
    file.write_text(text)
    with pytest.raises(UserError, match="records"):
        import_records(ledger, file)


def test_a_profile_with_a_resolution_keeps_it(quick: str) -> None:
    Path(quick).write_text(Path(quick).read_text() + "resolution: 64\n")
    named = load_profile(quick)
    assert task_of(named, TASK).resolution == 64
    with pytest.raises(UserError, match="fixes the resolution 64"):
        task_of(named, TASK, resolution=32)
