from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from nas.data.division import Images, Shares, divide, draw
from nas.data.parts import TEST, TRAIN, UNDIVIDED, VALIDATION
from nas.errors import DataError

NONE = Shares(validation=None, test=None, seed=0)


def images(count: int) -> Images:
    return Images([str(index) for index in range(count)], np.arange(count) % 2, ("even", "odd"))


def counts(parts: dict[str, int], shares: Shares) -> tuple[int, ...]:
    starts = np.cumsum([0, *parts.values()])
    indices = {name: np.arange(start, start + size) for (name, size), start in zip(parts.items(), starts, strict=False)}
    return tuple(map(len, divide(indices, images(int(starts[-1])), shares)))


@pytest.mark.parametrize(
    ("parts", "stated", "expected"),
    [
        ({UNDIVIDED: 100}, {}, (60, 20, 20)),
        ({UNDIVIDED: 100}, {"test": 0.5}, (30, 20, 50)),
        ({UNDIVIDED: 100}, {"validation": 0.1}, (70, 10, 20)),
        ({TRAIN: 100, TEST: 40}, {}, (90, 10, 40)),
        ({TRAIN: 100, TEST: 40}, {"validation": 0.3}, (70, 30, 40)),
        ({TRAIN: 100, VALIDATION: 30, TEST: 40}, {}, (100, 30, 40)),
        ({TRAIN: 100, VALIDATION: 30}, {}, (90, 10, 30)),
        ({TRAIN: 100, VALIDATION: 30}, {"validation": 0.2}, (80, 20, 30)),
        ({TRAIN: 100, VALIDATION: 30}, {"test": 0.2}, (80, 30, 20)),
        ({TRAIN: 100}, {"test": 0.2}, (70, 10, 20)),
        ({TRAIN: 100}, {"test": 0.2, "validation": 0.4}, (40, 40, 20)),
    ],
)
def test_what_is_not_given_is_held_out(parts: dict[str, int], stated: dict[str, float], expected: tuple[int]) -> None:
    assert counts(parts, replace(NONE, **stated)) == expected


@given(st.integers(10, 60), st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.integers(0, 3))
def test_every_image_is_in_one_split(size: int, validation: float, test: float, seed: int) -> None:
    parts = {UNDIVIDED: np.arange(size)}
    division = divide(parts, images(size), Shares(validation=validation, test=test, seed=seed))
    assert sorted(np.concatenate(division).tolist()) == list(range(size))
    assert all(np.all(np.diff(split) > 0) for split in division)


def test_another_seed_holds_out_others() -> None:
    first, second = (divide({UNDIVIDED: np.arange(100)}, images(100), replace(NONE, seed=seed)) for seed in (0, 1))
    assert first.test.tolist() != second.test.tolist()


@pytest.mark.parametrize(
    ("parts", "stated", "words"),
    [
        ({TRAIN: 10}, {}, "no test part"),
        ({VALIDATION: 10, TEST: 10}, {}, "no train part, only validation, test"),
        ({TRAIN: 10, TEST: 10}, {"test": 0.1}, r"test=0\.1 has no use"),
        ({TRAIN: 10, VALIDATION: 10, TEST: 10}, {"validation": 0.1}, r"validation=0\.1 has no use"),
        ({TRAIN: 10, VALIDATION: 10, TEST: 10}, {"seed": 1}, "seed=1 has no use"),
        ({UNDIVIDED: 10}, {"validation": 0.5, "test": 0.5}, "leave nothing to train on"),
        ({UNDIVIDED: 4}, {}, "class 'even' has too few images"),
    ],
)
def test_what_cannot_be_divided_is_explained(parts: dict[str, int], stated: dict[str, float], words: str) -> None:
    with pytest.raises(DataError, match=words):
        counts(parts, replace(NONE, **stated))


MANY = [f"image {index}" for index in range(100)]
CLASSES = np.repeat(np.arange(4), [10, 20, 30, 40])


@pytest.mark.parametrize(("share", "counts"), [(0.1, [1, 2, 3, 4]), (0.5, [5, 10, 15, 20]), (0.001, [1, 1, 1, 1])])
def test_draw_takes_the_share_of_every_class(share: float, counts: list[int]) -> None:
    drawn, rest = draw(MANY, CLASSES, share, seed=0)
    assert np.bincount(CLASSES[drawn]).tolist() == counts
    assert sorted([*drawn, *rest]) == list(range(100))


def test_draw_is_the_same_on_every_machine() -> None:
    drawn, _ = draw(MANY, CLASSES, 0.1, seed=0)
    assert drawn.tolist() == [4, 17, 19, 34, 36, 46, 63, 74, 77, 99]


def test_draw_depends_on_the_seed() -> None:
    assert draw(MANY, CLASSES, 0.5, seed=0)[0].tolist() != draw(MANY, CLASSES, 0.5, seed=1)[0].tolist()


def test_draw_is_not_reshuffled_by_a_new_image() -> None:
    before = {MANY[index] for index in draw(MANY, CLASSES, 0.5, seed=0)[0]}
    more = [*MANY, "a new image"]
    after = {more[index] for index in draw(more, np.append(CLASSES, 0), 0.5, seed=0)[0]}
    assert len(before - after) <= 1
