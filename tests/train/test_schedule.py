from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nas.train.schedule import cosine


def test_cosine_rises_peaks_and_falls() -> None:
    assert cosine(0, warmup=0.2) == 0
    assert cosine(0.1, warmup=0.2) == pytest.approx(0.5)
    assert cosine(0.2, warmup=0.2) == 1
    assert cosine(0.6, warmup=0.2) == pytest.approx(0.5)
    assert cosine(1, warmup=0.2) == pytest.approx(0)


def test_cosine_without_warmup_starts_at_the_top() -> None:
    assert cosine(0) == 1


@given(st.floats(0, 1), st.floats(0, 0.99), st.floats(0, 1))
def test_cosine_stays_within_its_bounds(progress: float, warmup: float, floor: float) -> None:
    factor = cosine(progress, warmup=warmup, floor=floor)
    assert 0 <= factor <= 1 + 1e-12
    if progress >= warmup:
        assert factor >= floor - 1e-12


@given(st.lists(st.floats(0.3, 1), min_size=2), st.floats(0, 0.3))
def test_cosine_never_rises_after_the_warmup(points: list[float], warmup: float) -> None:
    factors = [cosine(point, warmup=warmup) for point in sorted(points)]
    assert factors == sorted(factors, reverse=True)
