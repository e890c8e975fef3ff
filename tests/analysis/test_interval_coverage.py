"""Intervals of 95 % hold 93 to 97 %, for few networks and few seeds."""

from __future__ import annotations

import pytest
from interval_coverage import KINDS, populations
from scipy.stats import binom

STUDIES = 400


@pytest.fixture(autouse=True)
def _no_p_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which takes nearly all of the time of a comparison."""
    monkeypatch.setattr("nas.analysis.distributions._PERMUTATIONS", 1)


@pytest.mark.slow
@pytest.mark.timeout(3600)  # up to four minutes on a machine that has nothing else to do
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_interval_holds_as_often_as_it_says(kind: str) -> None:
    """The bounds of 93 and 97 %, and beyond them what chance does to one of a thousand lines."""
    lines = list(KINDS[kind](STUDIES))
    assert lines
    for line in lines:
        print(line)
        least, most = binom.ppf(0.001, line.studies, 0.93), binom.ppf(0.999, line.studies, 0.97)
        assert least <= line.held * line.studies <= most, line


def test_few_networks_in_a_bin_do_not_make_a_gain_sure() -> None:
    line = next(populations(60))
    assert line.held > 0.9
