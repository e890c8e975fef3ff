from __future__ import annotations

from itertools import pairwise

from hypothesis import given, strategies as st

from nas.search.halving import Halving, Promotion, expected_share
from nas.train.recipe import Recipe

ACCURACY = (True,)
BOTH = (True, False)


def test_the_best_third_goes_on() -> None:
    ladder = Halving(2, maximise=ACCURACY)
    for number, accuracy in enumerate([0.1, 0.5, 0.3, 0.9, 0.2, 0.8]):
        ladder.arrive(number, 0, [accuracy])
    assert [ladder.promote(), ladder.promote(), ladder.promote()] == [Promotion(3, 1), Promotion(5, 1), None]


def test_nobody_waits_for_a_rung_to_fill() -> None:
    ladder = Halving(3, maximise=ACCURACY)
    for number in range(3):
        assert ladder.promote() is None
        ladder.arrive(number, 0, [number / 10])
    assert ladder.promote() == Promotion(2, 1)


def test_the_highest_rung_comes_first() -> None:
    ladder = Halving(3, maximise=ACCURACY, reduction=2)
    for number in range(4):
        ladder.arrive(number, 0, [number / 10])
    for number in (3, 2):
        assert ladder.promote() == Promotion(number, 1)
        ladder.arrive(number, 1, [number / 10])
    ladder.arrive(4, 0, [0.9])
    ladder.arrive(5, 0, [0.8])
    assert [ladder.promote(), ladder.promote(), ladder.promote()] == [Promotion(3, 2), Promotion(4, 1), Promotion(5, 1)]


def test_small_networks_of_the_front_survive() -> None:
    """Of nine, three go on: the ends of the front and what stands most alone on it, not the three most accurate."""
    ladder = Halving(2, maximise=BOTH)
    points = [(0.5, 1), (0.60, 5), (0.90, 10), (0.89, 9.9), (0.88, 9.8), (0.87, 9.7), (0.4, 5), (0.3, 8), (0.2, 9)]
    for number, point in enumerate(points):
        ladder.arrive(number, 0, point)
    assert {ladder.promote().number for _ in range(3)} == {0, 1, 2}  # type: ignore[union-attr]


def test_who_fails_on_the_way_is_not_sent_again() -> None:
    ladder = Halving(2, maximise=ACCURACY, reduction=2)
    ladder.arrive(0, 0, [0.5])
    ladder.arrive(1, 0, [0.6])
    ladder.fall(1, 1)
    assert ladder.promote() is None


@given(st.lists(st.floats(0, 1), max_size=60), st.integers(2, 4), st.randoms())
def test_the_same_candidates_go_on_whatever_was_known_when(
    accuracies: list[float], reduction: int, chance: object
) -> None:
    """A ladder that is rebuilt from what has arrived continues like the one that was there all the time."""
    ladder, rebuilt = (Halving(3, maximise=ACCURACY, reduction=reduction) for _ in range(2))
    arrivals: list[tuple[int, int, list[float]]] = []

    def arrive(number: int, rung: int) -> None:
        arrivals.append((number, rung, [accuracies[number]]))
        ladder.arrive(*arrivals[-1])

    for number in range(len(accuracies)):
        arrive(number, 0)
        while (promotion := ladder.promote()) is not None:
            arrive(*promotion)
    chance.shuffle(arrivals)  # type: ignore[attr-defined]
    for arrival in arrivals:
        rebuilt.arrive(*arrival)
    assert rebuilt.promote() is None
    assert rebuilt.counts() == ladder.counts()
    reached = ladder.counts()
    assert all(above >= below // reduction for below, above in pairwise(reached))


def test_most_of_the_work_is_saved() -> None:
    """Of 9 epochs the first is for all, two more for a third of them, six more for a ninth: 1 + 2/3 + 6/9 of 9."""
    recipe = Recipe.from_dict({"epochs": 9, "rungs": [1, 3]})
    assert round(expected_share(recipe.fidelities), 6) == round((1 + 2 / 3 + 6 / 9) / 9, 6)
    assert expected_share(recipe.without_rungs().fidelities) == 1
