"""The planted pair is found among all others."""

from __future__ import annotations

import pytest
from planted import TINY, World, drawn

from nas.analysis.effects.interactions import interactions


def test_the_planted_pair_is_the_strongest() -> None:
    found = interactions(drawn(TINY, 400, 0), "flops")
    first, second = found.rows[:2]
    assert first.decisions == ("stages.block.act", "stages.block.ratio")
    assert first.low < 0.006 < first.high or first.low < -0.006 < first.high
    assert first.p < 0.001
    assert second.p > 0.05


@pytest.mark.slow
def test_no_pair_stands_out_where_none_was_planted() -> None:
    alarms = sum(interactions(drawn(World(), 150, seed), "flops").rows[0].p < 0.05 for seed in range(10))
    assert alarms <= 2


def test_few_candidates_say_nothing() -> None:
    found = interactions(drawn(TINY, 30, 0), "flops")
    assert not found.rows
    assert "needed" in found.doubt
