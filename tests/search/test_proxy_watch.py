from __future__ import annotations

import random

from nas.analysis.proxy_health import Trained, Yardstick
from nas.search.proxy_watch import ProxyWatch

YARDSTICK = Yardstick(images=360, chance=0.1)


def watched(accuracies: list[float], yardstick: Yardstick | None = YARDSTICK) -> ProxyWatch:
    watch = ProxyWatch(yardstick)
    for index, accuracy in enumerate(accuracies):
        watch.note(Trained(architecture_id=str(index), seed=0, rung=0, accuracy=accuracy))
    return watch


def test_it_says_that_candidates_guess_and_what_would_help() -> None:
    said = watched([0.1] * 8).warnings
    assert said[0].startswith("8 of 8 candidates cannot be told from guessing")
    assert "--epochs" in said[0]


def test_it_is_silent_about_few_and_about_good_ones() -> None:
    assert watched([0.1] * 7).warnings == ()
    assert watched([index / 20 for index in range(4, 18)]).warnings == ()
    assert watched([0.1] * 50, None).warnings == ()


def test_what_was_so_at_first_is_taken_back() -> None:
    draw = random.Random(0)
    assert watched([0.1] * 8 + [draw.uniform(0.3, 0.9) for _ in range(60)]).warnings == ()
