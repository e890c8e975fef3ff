from __future__ import annotations

import pytest

from nas.analysis.intervals import wilson
from nas.analysis.shape_bias import Decision, tallies_by_shape, tally

DECISIONS = [
    Decision("cat", "dog", "cat"),
    Decision("cat", "dog", "dog"),
    Decision("cat", "car", "bird"),
    Decision("bear", "oven", "bear"),
    Decision("bear", "bear", "bear"),  # no conflict
]


def test_share_is_of_the_decisions_for_either_cue() -> None:
    found = tally(DECISIONS)
    assert (found.images, found.shape, found.texture) == (4, 2, 1)
    assert found.share == pytest.approx(2 / 3)
    assert found.interval == wilson(2 / 3, 3)
    assert found.to_dict()["neither"] == 1


def test_no_decision_for_either_has_no_share() -> None:
    found = tally([Decision("cat", "dog", "car")])
    assert (found.share, found.interval) == (None, None)
    assert found.to_dict()["low"] is None


def test_classes_are_those_of_the_shape_and_add_up() -> None:
    by_shape = tallies_by_shape(DECISIONS)
    assert list(by_shape) == ["bear", "cat"]
    assert sum(one.images for one in by_shape.values()) == tally(DECISIONS).images
    assert by_shape["cat"].share == 0.5
