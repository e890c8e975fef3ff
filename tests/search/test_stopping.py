from __future__ import annotations

import pytest

from nas.search.stopping import Limits, Stop

NOTHING = {"trials": 0, "seconds": 0.0, "train_seconds": 0.0, "stagnant": 0}


@pytest.mark.parametrize(
    ("limits", "so_far", "stop"),
    [
        (Limits(trials=3), {"trials": 2}, None),
        (Limits(trials=3), {"trials": 3}, Stop.TRIALS),
        (Limits(seconds=2.0), {"trials": 99, "seconds": 2.5}, Stop.TIME),
        (Limits(train_seconds=2.0), {"seconds": 9.0, "train_seconds": 1.9}, None),
        (Limits(train_seconds=2.0), {"train_seconds": 2.0}, Stop.TRAIN_TIME),
        (Limits(patience=5), {"stagnant": 5}, Stop.STAGNATION),
        (Limits(trials=9, patience=5), {"trials": 8, "stagnant": 4}, None),
        (Limits(), {"trials": 10**6, "seconds": 1e9}, None),
    ],
)
def test_the_first_limit_that_is_met_ends_a_search(limits: Limits, so_far: dict[str, float], stop: Stop | None) -> None:
    assert limits.reached(**{**NOTHING, **so_far}) is stop  # type: ignore[arg-type]


def test_limits_survive_the_ledger_and_are_shown() -> None:
    limits = Limits(trials=20, seconds=7200.0, patience=1)
    assert Limits.from_dict({**limits.to_dict(), "more": 1}) == limits
    assert limits.is_given
    assert not Limits().is_given
    assert str(limits) == "20 candidates or 2 h 00 min or 1 candidate without growth of the front"
