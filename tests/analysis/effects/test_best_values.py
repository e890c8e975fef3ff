"""The values of the best networks."""

from __future__ import annotations

from planted import TINY, World, drawn

from nas.analysis.effects.best_values import best_values


def test_what_is_worth_much_is_among_the_likely_values() -> None:
    found = {one.decision: one for one in best_values(drawn(TINY, 400, 0), "flops")}
    kernel = found["stages.1.block.mixer.kernel"]
    assert kernel.best == "7"
    assert kernel.shares["3"] < 0.2
    assert sum(kernel.shares.values()) > 0.999
    assert not found["stages.block.act_placement"].is_narrow


def test_without_effects_hardly_a_value_is_ruled_out() -> None:
    narrow = [one for one in best_values(drawn(World(), 400, 1), "flops") if len(one.shares) < 4 and one.is_narrow]
    assert len(narrow) <= 1


def test_few_networks_say_nothing() -> None:
    assert best_values(drawn(TINY, 20, 0), "flops") == []
