from __future__ import annotations

import pytest

from nas.cost import METRICS
from nas.errors import UserError
from nas.search.objectives import Objectives


@pytest.mark.parametrize(
    ("text", "costs"),
    [("accuracy", ()), ("accuracy,flops", ("flops",)), ("params, accuracy ,activations", ("params", "activations"))],
)
def test_objectives_are_read_and_written(text: str, costs: tuple[str, ...]) -> None:
    objectives = Objectives.parse(text, known=METRICS)
    assert objectives.costs == costs
    assert Objectives.parse(str(objectives), known=METRICS) == objectives
    assert objectives.maximise == (True, *[False] * len(costs))
    cost = {"flops": 1, "params": 2, "activations": 3}
    assert objectives.point(0.5, cost) == (0.5, *(float(cost[name]) for name in costs))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("flops", "write 'accuracy,flops'"),
        ("accuracy,flop", "did you mean 'flops'"),
        ("accuracy,flops,flops", "stands twice"),
        ("accuracy,flops,params,activations", "2 costs at most"),
        ("", "unknown objective ''"),
    ],
)
def test_wrong_objectives_are_refused(text: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        Objectives.parse(text, known=METRICS)
