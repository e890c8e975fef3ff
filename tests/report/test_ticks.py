from __future__ import annotations

import pytest

from nas.report.ticks import ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.52, 0.98, [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        (0, 400, [0, 100, 200, 300, 400]),
        (-1, 1, [-1.0, -0.5, 0.0, 0.5, 1.0]),
    ],
)
def test_ticks_are_round_and_cover_the_range(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)
    assert len(ticks(3, 3)) > 1
    assert ticks(1, 3, least_step=1) == [1, 2, 3]
