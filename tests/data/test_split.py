from __future__ import annotations

import numpy as np
import pytest

from nas.data.split import draw

NAMES = [f"image {index}" for index in range(100)]
LABELS = np.repeat(np.arange(4), [10, 20, 30, 40])


@pytest.mark.parametrize(("share", "counts"), [(0.1, [1, 2, 3, 4]), (0.5, [5, 10, 15, 20]), (0.001, [1, 1, 1, 1])])
def test_draw_takes_the_share_of_every_class(share: float, counts: list[int]) -> None:
    drawn, rest = draw(NAMES, LABELS, share, seed=0)
    assert np.bincount(LABELS[drawn]).tolist() == counts
    assert sorted([*drawn, *rest]) == list(range(100))


def test_draw_is_the_same_on_every_machine() -> None:
    drawn, _ = draw(NAMES, LABELS, 0.1, seed=0)
    assert drawn.tolist() == [4, 17, 19, 34, 36, 46, 63, 74, 77, 99]


def test_draw_depends_on_the_seed() -> None:
    assert draw(NAMES, LABELS, 0.5, seed=0)[0].tolist() != draw(NAMES, LABELS, 0.5, seed=1)[0].tolist()


def test_draw_is_not_reshuffled_by_a_new_image() -> None:
    before = {NAMES[index] for index in draw(NAMES, LABELS, 0.5, seed=0)[0]}
    more = [*NAMES, "a new image"]
    after = {more[index] for index in draw(more, np.append(LABELS, 0), 0.5, seed=0)[0]}
    assert len(before - after) <= 1
