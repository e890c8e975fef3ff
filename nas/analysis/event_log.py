"""What happened to one candidate of a study, in the order of time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from nas.ledger.candidate_history import Ask, CandidateHistory, Outcome
from nas.records import Plain, TrialState


class Happening(StrEnum):
    """What an event is about; the order is that of events of one moment."""

    ASKED = "asked"
    REJECTED = "rejected"  # over budget
    SUBMITTED = "submitted"
    TRAINED = "trained"
    REUSED = "reused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        time: ISO 8601, UTC; None where nobody has written it down.
        what: kind of event.
        details: everything about it, JSON-ready.
    """

    time: str | None
    what: Happening
    details: dict[str, Plain]

    def to_dict(self) -> dict[str, Plain]:
        """JSON-ready."""
        return {"time": self.time, "event": self.what.value, **self.details}


def event_log(history: CandidateHistory) -> list[Event]:
    """The events of a candidate's life in a study, by time.

    What another study had trained before happens here when this one asked for it.
    """
    begun = min((ask.asked for ask in history.asks if ask.asked is not None), default=None)
    events = [event for ask in history.asks for event in _of_ask(ask)]
    events += [_of_outcome(outcome, history.study, begun) for outcome in history.outcomes]
    order = list(Happening)
    return sorted(events, key=lambda event: (event.time or "", order.index(event.what)))


def _of_ask(ask: Ask) -> Iterator[Event]:
    notes = dict(ask.sampler)
    asked: dict[str, Plain] = {
        "trial": ask.number,
        "state": ask.state.value,
        "control": bool(notes.pop("control", False)),
        "choices": dict(ask.choices),
        "cost": dict(ask.cost),
        "notes": notes,
    }
    yield Event(time=ask.asked, what=Happening.ASKED, details=asked)
    if ask.state is TrialState.REJECTED:
        details: dict[str, Plain] = {"trial": ask.number, "overrun": dict(ask.overrun)}
        yield Event(time=ask.asked, what=Happening.REJECTED, details=details)
    if ask.attempts:
        details = {"trial": ask.number, "attempts": ask.attempts}
        yield Event(time=ask.submitted, what=Happening.SUBMITTED, details=details)


def _of_outcome(outcome: Outcome, study: str, begun: str | None) -> Event:
    evaluation = outcome.evaluation
    if not evaluation.succeeded:
        what = Happening.FAILED
    elif outcome.study == study:
        what = Happening.TRAINED
    else:
        what = Happening.REUSED
    known = {name: value for name, value in evaluation.to_dict().items() if value not in (None, "", [], {})}
    if evaluation.curve:
        known["curve"] = [loss if math.isfinite(loss) else None for loss in evaluation.curve]
    key = known.pop("key")
    details = {"study": outcome.study, "rung": key["rung"], **known, "recipe": key["recipe"], "seed": key["seed"]}
    if what is Happening.REUSED:
        return Event(time=max(outcome.finished, begun or ""), what=what, details={**details, "known": outcome.finished})
    return Event(time=outcome.finished, what=what, details=details)
