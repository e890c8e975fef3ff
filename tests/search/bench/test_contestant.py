from __future__ import annotations

import pytest

from nas.errors import UnknownNameError, UserError
from nas.search.bench.contestant import Contestant


@pytest.mark.parametrize(
    ("text", "trials", "workers", "label"),
    [
        ("tpe", 400, 1, "tpe"),
        ("gp:50", 50, 1, "gp"),
        ("surrogate/8", 400, 8, "surrogate, 8 workers"),
        ("surrogate:100/8", 100, 8, "surrogate, 8 workers"),
    ],
)
def test_contestants_may_have_trainings_and_workers_of_their_own(
    text: str, trials: int, workers: int, label: str
) -> None:
    found = Contestant.parse(text, trials=400, workers=1)
    assert (found.trials, found.workers, found.label) == (trials, workers, label)


@pytest.mark.parametrize("text", ["", "tpe:", "tpe:0", "tpe/0", "tpe/8:100", ":5"])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="write NAME"):
        Contestant.parse(text, trials=400, workers=1)


def test_unknown_samplers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'tpe'"):
        Contestant.parse("tpee:5", trials=400, workers=1)
