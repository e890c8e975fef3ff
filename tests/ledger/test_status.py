from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from nas.errors import StudyError
from nas.ledger import Driving, Ledger
from nas.ledger.leases import LEASE_SECONDS
from nas.ledger.tables import leases, pulses
from nas.pulse import NodeState, Pulse, RungState, WorkerState
from nas.records import Failure, TrialState

HERE = socket.gethostname()
ME = f"{HERE}:{os.getpid()}"
PULSE = Pulse(
    study="alpha",
    driver=ME,
    trials={TrialState.DONE: 3, TrialState.QUEUED: 1},
    target=10,
    rungs=(RungState(arrived=4, promoted=1, waiting=3), RungState(arrived=1, promoted=0, waiting=0)),
    failures={Failure.DIVERGED: 2},
    slots=2,
    workers=(WorkerState(name="n1:7", job="3.1", architecture_id="a3", rung=1, seconds=2.5, fraction=0.5),),
    nodes=(NodeState(name="n1", workers=1, busy=1, images_per_second=100.0, peak_memory=2**30),),
    images_per_second=100.0,
    peak_memory=2**30,
    best="a1",
    best_accuracy=0.75,
    front=2,
    seconds=60.0,
)


def age(url: str, table: sa.Table, column: str, seconds: float) -> None:
    """Let something have been written `seconds` before."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.update(table).values({column: table.c[column] - seconds}))
    engine.dispose()


def test_a_study_that_nobody_drove_is_counted(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0, "a0"), records.trial(1, "a1"), records.trial(2, "a2", TrialState.REJECTED))
    ledger.finish("alpha", 0, records.success("a0", 0.5), TrialState.DONE)
    status = ledger.status("alpha")
    assert (status.driving, status.driver, status.since, status.heard) == (Driving.IDLE, "", None, None)
    assert status.pulse_age is None
    assert status.pulse.trials == {TrialState.DONE: 1, TrialState.QUEUED: 1, TrialState.REJECTED: 1}
    assert (status.pulse.best, status.pulse.best_accuracy, status.pulse.train_seconds) == ("a0", 0.5, 1.25)
    assert status.pulse.workers == ()


def test_the_best_candidate_is_of_the_highest_rung(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0, "a0"), records.trial(1, "a1"))
    ledger.finish("alpha", 0, records.success("a0", 0.9), TrialState.STOPPED)
    ledger.finish("alpha", 1, records.success("a1", 0.6, key=records.key("a1", rung=1)), TrialState.DONE)
    assert ledger.status("alpha").pulse.best == "a1"


def test_a_running_study_is_as_its_driver_says(ledger: Ledger, url: str) -> None:
    with ledger.lease("alpha", holder=ME), Ledger.read(url) as reader:
        ledger.save_pulse(Pulse(study="alpha"))
        ledger.save_pulse(PULSE)
        status = reader.status("alpha")
    assert (status.driving, status.driver, status.pulse) == (Driving.RUNNING, ME, PULSE)
    assert status.since is not None
    assert status.heard is not None
    assert 0 <= status.heard < LEASE_SECONDS


def test_what_an_earlier_driver_said_is_not_taken_for_news(ledger: Ledger, url: str) -> None:
    ledger.save_pulse(PULSE)
    age(url, pulses, "written", 10.0)
    with ledger.lease("alpha", holder=ME):
        status = ledger.status("alpha")
    assert status.driving is Driving.RUNNING
    assert (status.pulse.workers, status.pulse.trials) == ((), {})


def test_a_study_that_has_ended_says_how(ledger: Ledger) -> None:
    with ledger.lease("alpha", holder=ME):
        ledger.save_pulse(Pulse(study="alpha", driver=ME, front=4, stop="trials"))
    status = ledger.status("alpha")
    assert (status.driving, status.driver) == (Driving.IDLE, ME)
    assert (status.pulse.stop, status.pulse.front) == ("trials", 4)


def test_a_driver_of_another_host_that_is_silent_too_long_is_said_to_be(ledger: Ledger, url: str) -> None:
    held = ledger.lease("alpha", holder="elsewhere:1")
    held.__enter__()
    ledger.save_pulse(PULSE)
    assert ledger.status("alpha").driving is Driving.RUNNING
    age(url, leases, "renewed", LEASE_SECONDS + 1)
    status = ledger.status("alpha")
    assert (status.driving, status.driver) == (Driving.SILENT, "elsewhere:1")
    assert status.heard is not None
    assert status.heard > LEASE_SECONDS
    assert (status.pulse.workers, status.pulse.nodes, status.pulse.seconds_left) == ((), (), None)


@pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])], indirect=True
)
def test_a_killed_driver_of_this_host_is_silent_at_once(ledger: Ledger, url: str) -> None:
    code = f"""
import os, signal
from nas.ledger import Ledger
from nas.pulse import Pulse
ledger = Ledger.open({url!r})
with ledger.lease("alpha", holder={HERE!r} + f":{{os.getpid()}}") as lease:
    ledger.save_pulse(Pulse(study="alpha", driver=lease.holder))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.Popen([sys.executable, "-c", code])
    killed.wait()
    status = ledger.status("alpha")
    assert (status.driving, status.driver) == (Driving.SILENT, f"{HERE}:{killed.pid}")


def test_failures_are_counted_by_type_and_losses_with_them(ledger: Ledger, records: Any) -> None:
    records.write(ledger, *(records.trial(number, f"a{number}") for number in range(3)))
    ledger.record_loss("alpha", records.failure("a0", Failure.NODE_LOST))
    for number in (0, 1):
        ledger.finish("alpha", number, records.failure(f"a{number}", Failure.DIVERGED), TrialState.FAILED)
    ledger.finish("alpha", 2, records.success("a2"), TrialState.DONE)
    assert ledger.failures("alpha") == {Failure.DIVERGED: 2, Failure.NODE_LOST: 1}
    assert ledger.status("alpha").pulse.lost == 1
    assert [trial.state for trial in ledger.trials("alpha", [TrialState.QUEUED])] == []


def test_a_loss_leaves_the_trial_alone(ledger: Ledger, records: Any) -> None:
    records.write(ledger, records.trial(0, "a0"))
    ledger.finish("alpha", 0, records.success("a0"), TrialState.STOPPED)
    before = ledger.trials("alpha")
    ledger.record_loss("alpha", records.failure("a0", Failure.NODE_LOST, key=records.key("a0", rung=1)))
    assert ledger.trials("alpha") == before
    with pytest.raises(StudyError, match="unknown study"):
        ledger.record_loss("omega", records.failure("a0"))


def test_the_pace_of_a_node_is_images_over_all_the_time_its_jobs_took(ledger: Ledger, records: Any) -> None:
    trainings = [  # worker, images a second while training, training seconds, seconds in all, memory
        ("n1:1", 100.0, 1.0, 2.0, 10),
        ("n1:2", 300.0, 1.0, 2.0, 30),
        ("n2:1", 50.0, 4.0, 4.0, 20),
    ]
    records.write(ledger, *(records.trial(number, f"a{number}") for number in range(len(trainings))))
    for number, (worker, pace, training, seconds, memory) in enumerate(trainings):
        done = records.success(
            f"a{number}", worker=worker, images_per_second=pace, train_seconds=training, seconds=seconds,
            peak_memory=memory,
        )  # fmt: skip
        ledger.finish("alpha", number, done, TrialState.DONE)
    ledger.record_loss("alpha", records.failure("a0", Failure.NODE_LOST, worker="n3:1", seconds=9.0))
    paces = ledger.paces("alpha")
    assert {node: (pace.images_per_second, pace.peak_memory) for node, pace in paces.items()} == {
        "n1": ((100.0 + 300.0) / 4.0, 30), "n2": (50.0, 20),
    }  # fmt: skip


@pytest.mark.parametrize(
    "look", [lambda ledger: ledger.status("alhpa"), lambda ledger: ledger.candidate_history("alhpa", "a")]
)
def test_an_unknown_study_is_a_helpful_error(ledger: Ledger, look: Callable[[Ledger], object]) -> None:
    with pytest.raises(StudyError, match="did you mean 'alpha'"):
        look(ledger)
