from __future__ import annotations

import math

import pytest

from nas.analysis.race import Race, Run, Trained


def run(team: str, seed: int, *trained: tuple[float, float, float], seconds: float = 100.0) -> Run:
    return Run(
        team=team,
        seed=seed,
        tried=len(trained),
        seconds=seconds,
        trained=tuple(Trained(seconds=a, accuracy=b, cost=c) for a, b, c in trained),
    )


def test_scores_are_shares_of_the_area_under_the_joint_front() -> None:
    # The median accuracy is 0.5; in log cost the joint front reaches from 1 to e, the reference a tenth further.
    ours = run("ours", 0, (10, 0.5, 1.0), (50, 0.7, math.e), (90, 0.2, 1.0))
    theirs = run("theirs", 0, (20, 0.6, math.e**0.5), (30, 0.4, 1.0), seconds=80)
    race = Race((ours, theirs))
    assert race.reference == pytest.approx((0.5, 1.1))
    whole = 0.5 * 0.1 + 0.1 * 0.2  # from half a log cost at 0.6, from one at 0.7
    assert race.score(ours, 49) == 0
    assert race.score(ours, 50) == pytest.approx(0.2 * 0.1 / whole)
    assert race.score(theirs, 20) == pytest.approx(0.6 * 0.1 / whole)
    assert race.length == 80
    assert race.teams == ("ours", "theirs")


def test_curves_are_of_all_runs_of_a_team() -> None:
    race = Race((run("a", 0, (0, 0.5, 1), (40, 0.8, 2)), run("a", 1, (0, 0.5, 1), (60, 0.8, 2))))
    curve = race.curve("a")
    assert curve.seconds[[0, -1]].tolist() == [0, 100]
    assert curve.middle[[0, 100, -1]].tolist() == pytest.approx([0, 0.5, 1])
    assert (curve.low[100], curve.high[100]) == pytest.approx((0, 1))
    assert race.scores("a", 0.5) == pytest.approx([1, 0])
