from __future__ import annotations

import json
import math

from nas.analysis.event_log import Happening, event_log
from nas.ledger.candidate_history import Ask, CandidateHistory, Outcome
from nas.records import Evaluation, EvaluationKey, Failure, TrialState

ASK = Ask(
    number=12, state=TrialState.DONE, choices={"depth": 2}, cost={"flops": 10}, overrun={"flops": -0.5},
    sampler={"control": True, "draw": 3}, attempts=2, asked="2026-01-01T00:00:05.000+00:00",
    submitted="2026-01-01T00:00:20.000+00:00", updated="2026-01-01T00:00:30.000+00:00",
)  # fmt: skip


def key(rung: int) -> EvaluationKey:
    return EvaluationKey(architecture_id="a0", recipe="r", fingerprint="d", seed=0, rung=rung)


def test_events_come_in_the_order_of_time() -> None:
    lost = Evaluation(key=key(1), failure=Failure.NODE_LOST, message="killed", traceback="last words", worker="n:1")
    known = Evaluation(key=key(0), accuracy=0.5)
    done = Evaluation(key=key(1), accuracy=0.0, curve=(1.0, math.nan), seconds=2.0)
    told = CandidateHistory(
        study="mine", architecture_id="a0", asks=(ASK,),
        outcomes=(
            Outcome(evaluation=known, finished="2025-12-31T00:00:00.000+00:00", study="other"),
            Outcome(evaluation=lost, finished="2026-01-01T00:00:10.000+00:00", study="mine"),
            Outcome(evaluation=done, finished="2026-01-01T00:00:30.000+00:00", study="mine"),
        ),
    )  # fmt: skip
    events = [event.to_dict() for event in event_log(told)]
    assert [event["event"] for event in events] == ["asked", "reused", "failed", "submitted", "trained"]
    asked, reused, failed, submitted, trained = events
    assert (asked["trial"], asked["control"], asked["notes"]) == (12, True, {"draw": 3})
    assert (reused["study"], reused["known"], reused["time"]) == ("other", "2025-12-31T00:00:00.000+00:00", ASK.asked)
    assert (failed["failure"], failed["message"], failed["traceback"]) == ("node_lost", "killed", "last words")
    assert submitted["attempts"] == 2
    assert (trained["accuracy"], trained["curve"], trained["rung"]) == (0.0, [1.0, None], 1)
    json.dumps(events, allow_nan=False)


def test_a_candidate_over_budget_says_by_how_much() -> None:
    ask = Ask(
        number=0, state=TrialState.REJECTED, choices={}, cost={"flops": 10}, overrun={"flops": 0.25}, sampler={},
        attempts=0, asked=None, submitted=None, updated="2026-01-01T00:00:00.000+00:00",
    )  # fmt: skip
    events = event_log(CandidateHistory(study="mine", architecture_id="a0", asks=(ask,), outcomes=()))
    assert [(event.what, event.time) for event in events] == [(Happening.ASKED, None), (Happening.REJECTED, None)]
    assert events[1].details["overrun"] == {"flops": 0.25}
