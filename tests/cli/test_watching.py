"""`nas status` of studies and candidates, from a ledger that a driver of another host writes."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from answers import Capture, document
from rich.console import Console

from nas.cli.main import main
from nas.cli.status_view import status_view
from nas.ledger import Ledger
from nas.ledger.status import Driving, StudyStatus
from nas.pulse import NodeState, Pulse, RungState, WorkerState
from nas.records import Evaluation, EvaluationKey, Failure, StudyKind, StudyRecord, TrialRecord, TrialState

BUSY = WorkerState(name="gpu-07:4711", job="3.1", architecture_id="0fce578b2b9a", rung=1, seconds=75.0, fraction=0.5)
PULSE = Pulse(
    study="mine",
    driver="login-1:42",
    trials={TrialState.DONE: 96, TrialState.STOPPED: 21, TrialState.QUEUED: 2, TrialState.REJECTED: 1250},
    target=400,
    rungs=(RungState(arrived=117, promoted=38, waiting=79), RungState(arrived=36, promoted=0, waiting=0)),
    failures={Failure.DIVERGED: 3, Failure.NODE_LOST: 1},
    slots=4,
    workers=(BUSY, WorkerState(name="gpu-07:4712"), WorkerState(name="gpu-08:99")),
    nodes=(
        NodeState(name="gpu-07", workers=2, busy=1, images_per_second=6120.0, peak_memory=3_200_000_000),
        NodeState(name="gpu-08", workers=1, busy=0),
    ),
    images_per_second=6120.0,
    peak_memory=3_200_000_000,
    train_seconds=111_720.0,
    best="0fce578b2b9a",
    best_accuracy=0.843,
    front=7,
    seconds=8040.0,
    seconds_left=16_800.0,
)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.chdir(tmp_path)
    with Ledger.open("sqlite:///nas.db") as ledger:
        ledger.create_study(
            StudyRecord(name="mine", kind=StudyKind.SEARCH, definition={}, created="2026-01-01T00:00:00+00:00")
        )
        yield ledger


@contextmanager
def driven(ledger: Ledger) -> Iterator[None]:
    with ledger.lease("mine", holder=PULSE.driver):
        ledger.save_pulse(PULSE)
        yield


def test_status_as_a_document(ledger: Ledger, capsys: Capture) -> None:
    with driven(ledger):
        found = document(capsys, "status", "mine")
    assert found.keys() == {
        "study", "kind", "state", "driver", "since", "heard_seconds_ago", "pulse_seconds_ago", "pulse",
        "proxy_health",
    }  # fmt: skip
    assert (found["study"], found["state"], found["driver"]) == ("mine", "running", "login-1:42")
    assert found["pulse"] == json.loads(json.dumps(PULSE.to_dict()))
    assert {"trials", "rungs", "failures", "workers", "nodes", "images_per_second", "seconds_left", "front"} <= set(
        found["pulse"]
    )
    idle = document(capsys, "status")
    assert (idle["state"], idle["since"], idle["heard_seconds_ago"], idle["pulse"]["workers"]) == (
        "idle", None, None, [],
    )  # fmt: skip


def test_status_for_people(ledger: Ledger, capsys: Capture) -> None:
    with driven(ledger):
        assert main(["status", "mine"]) == 0
    shown = capsys.readouterr().out
    for words in (
        "mine  running login-1:42", "96 done, 21 stopped early, 2 unfinished, 1,250 over budget; 400 candidates",
        "3 diverged, 1 node lost", "84.3% by 0fce578b2b9a, front of 7", "31 h 02 min in all, 6.12k images/s, 3.2 GB",
        "2 h 14 min, about 4 h 40 min left", "Workers: 3 of 4", "gpu-08", "1 min 15 s", "50%",
    ):  # fmt: skip
        assert words in shown
    assert "resume" not in shown


def test_a_search_that_was_broken_off_says_how_to_go_on(ledger: Ledger, capsys: Capture) -> None:
    with driven(ledger):
        pass
    assert main(["status"]) == 0
    shown = capsys.readouterr().out
    assert "mine  not running, interrupted" in shown
    assert "nas search --resume --study mine" in shown


@pytest.mark.parametrize("kind", [StudyKind.COMPARE, StudyKind.TRUST, StudyKind.REFINE])
def test_what_is_no_search_is_not_resumed_as_one(ledger: Ledger, capsys: Capture, kind: StudyKind) -> None:
    ledger.create_study(StudyRecord(name="pair", kind=kind, definition={}, created="2026-01-02T00:00:00+00:00"))
    with ledger.lease("pair", holder=f"{socket.gethostname()}:{ended_process()}"):
        assert main(["status", "pair"]) == 0
    shown = capsys.readouterr().out
    assert "pair  silent" in shown
    assert f"give the same `nas {kind}` command again" in shown
    assert "--resume" not in shown


def ended_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_watching_ends_when_nobody_drives_the_study(ledger: Ledger, capsys: Capture) -> None:
    ledger.save_pulse(Pulse(study="mine", driver="login-1:42", stop="trials"))
    assert main(["status", "--watch", "0.5"]) == 0
    assert "not running, ended by trials" in capsys.readouterr().out


def test_watching_and_a_document_exclude_each_other(ledger: Ledger, capsys: Capture) -> None:
    assert main(["status", "--watch", "1", "--json"]) == 2
    assert "give one of them" in capsys.readouterr().err


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("driving", Driving)
def test_status_fits_the_terminal(width: int, driving: Driving) -> None:
    status = StudyStatus(
        kind=StudyKind.SEARCH, driving=driving, driver="login-1:42", since=1.8e9, heard=3.0, pulse=PULSE, pulse_age=3.0
    )  # fmt: skip
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(status_view(status))
    assert all(len(line) <= width for line in capture.get().splitlines())
    assert "…" not in capture.get()


def test_hundreds_of_workers_are_not_all_listed() -> None:
    states = tuple(
        WorkerState(name=f"n:{i}", job=str(i), architecture_id=f"a{i}", seconds=float(i)) for i in range(300)
    )  # fmt: skip
    pulse = Pulse(study="mine", workers=states)
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(status_view(StudyStatus(
            kind=StudyKind.SEARCH, driving=Driving.RUNNING, driver="d:1", since=0.0, heard=0.0, pulse=pulse,
            pulse_age=0.0,
        )))  # fmt: skip
    assert "a299" in capture.get()
    assert "and 288 more" in capture.get()


def story_of(ledger: Ledger) -> None:
    """A candidate that was lost once, then trained; and one over budget."""
    fields: dict[str, Any] = {"choices": {"depth": 3}, "cost": {"flops": 561_000_000, "params": 3_880_000}}
    ledger.write_trials(
        "mine",
        [
            TrialRecord(
                number=0, architecture_id="0fce578b2b9a", state=TrialState.QUEUED, overrun={"flops": -0.5},
                sampler={"control": True}, **fields,
            ),
            TrialRecord(
                number=1, architecture_id="b037c2bf0886", state=TrialState.REJECTED, overrun={"flops": 0.25}, **fields
            ),
        ],
        architectures={"0fce578b2b9a": {}, "b037c2bf0886": {}},
    )  # fmt: skip
    key = EvaluationKey(architecture_id="0fce578b2b9a", recipe="r", fingerprint="d", seed=0)
    ledger.write_trials("mine", [], architectures={}, attempts={0: 1})
    lost = Evaluation(
        key=key, failure=Failure.NODE_LOST, message="the worker was killed by SIGKILL during the job",
        traceback="its last [words]", seconds=3.0, worker="gpu-07:1",
    )  # fmt: skip
    ledger.record_loss("mine", lost)
    ledger.write_trials("mine", [], architectures={}, attempts={0: 2})
    done = Evaluation(
        key=key, accuracy=0.843, loss=0.5, curve=(2.3, 1.1), seconds=10.0, images_per_second=6120.0, worker="gpu-08:2"
    )  # fmt: skip
    ledger.finish("mine", 0, done, TrialState.DONE)


def test_logs_tell_the_story_of_a_candidate(ledger: Ledger, capsys: Capture) -> None:
    story_of(ledger)
    found = document(capsys, "status", "mine:0fce")
    assert (found["study"], found["id"], found["cost"]["flops"]) == ("mine", "0fce578b2b9a", 561_000_000)
    events = found["events"]
    assert {event["event"] for event in events} == {"asked", "failed", "submitted", "trained"}
    assert events[0]["event"] == "asked"
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    assert main(["status", "mine:0fce"]) == 0
    shown = capsys.readouterr().out
    for words in (
        "mine:0fce578b2b9a  561M flops, 3.88M params", "trial 0, drawn at random as a control; now done",
        "2 times by then",
        "rung 0: node lost, 3.0 s on gpu-07:1", "killed by SIGKILL", "its last [words]",
        "rung 0: 84.30%, loss 0.500, 10.0 s on gpu-08:2, 6.12k images/s", "loss by epoch 2.3 1.1",
    ):  # fmt: skip
        assert words in shown


def test_logs_of_a_candidate_over_budget_say_by_how_much(ledger: Ledger, capsys: Capture) -> None:
    story_of(ledger)
    assert main(["status", "mine:b0"]) == 0
    assert "25.0% over flops" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [("mine:", "write STUDY:ID"), ("mine:zz", "begins with 'zz'"), ("mien:0f", "'mine'")],
)
def test_logs_of_nobody_are_a_helpful_error(ledger: Ledger, capsys: Capture, reference: str, complaint: str) -> None:
    story_of(ledger)
    assert main(["status", reference]) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_search_is_watched_over_http_and_missed_when_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    command = [
        sys.executable, "-m", "nas", "search", "--space", "tiny", "--budget", "10MFLOPs", "--epochs", "1",
        "--data-share", "0.1", "--trials", "400", "--workers", "1", "--study", "killed", "--metrics", "0",
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as driver:
        assert driver.stderr is not None
        url = next(line.split()[-1] for line in driver.stderr if line.startswith("Metrics are served at"))
        done = 0
        while not done and driver.poll() is None:
            time.sleep(0.5)
            with suppress(urllib.error.HTTPError), urllib.request.urlopen(url, timeout=10) as answer:  # 503 at first
                found = re.search(r'nas_trials\{study="killed",state="done"\} (\d+)', answer.read().decode())
                done = int(found[1]) if found else 0
        driver.kill()
    assert done
    monkeypatch.chdir(tmp_path)
    status = document(capsys, "status", "killed")
    assert (status["state"], status["driver"]) == ("silent", f"{socket.gethostname()}:{driver.pid}")
    assert status["pulse"]["trials"]["done"] >= done
    assert status["pulse"]["workers"] == []
    assert main(["status", "killed"]) == 0
    shown = capsys.readouterr().out
    assert f"killed  silent {status['driver']}" in shown
    assert "nas search --resume --study killed" in shown


def test_a_bad_place_for_metrics_is_refused_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["search", "--space", "tiny", "--budget", "10MFLOPs", "--metrics", "everywhere"]) == 2
    assert "as a place for metrics" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
