from __future__ import annotations

import pytest

from nas.analysis.effects.best_values import BestValues
from nas.analysis.effects.importance import Importance, Importances
from nas.analysis.outcomes import Origin
from nas.cli.analysis_view import importances_table


def importance(decision: str, share: float, p: float) -> Importance:
    return Importance(decision=decision, importance=share, value=share, by_chance=0.1, p=p, candidates=100)


@pytest.mark.parametrize(
    ("everything", "shown"), [(False, ["mixer", "norm"]), (True, ["mixer", "norm", "stem", "head"])]
)
def test_decisions_that_decide_nothing_are_counted(everything: bool, shown: list[str]) -> None:
    rows = (importance("mixer", 0.9, 1.0), importance("norm", 0.005, 0.01), importance("stem", 0.005, 1.0),
            importance("head", 0.0, 1.0))  # fmt: skip
    found = Importances(rows=rows, origin=Origin.RANDOM, candidates=100, target=0.1)
    best = [
        BestValues(decision=one.decision, best="a", likely=("a",), shares={"a": 1.0}, is_narrow=True) for one in rows
    ]
    table = importances_table(found, best, "flops", {}, everything=everything)
    assert list(table.columns[0].cells) == shown
    assert ("2 decisions below 1% not shown (`--all`)." in str(table.caption)) is not everything
