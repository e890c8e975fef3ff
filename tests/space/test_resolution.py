"""A resolution that is searched: priced at, carried by the architecture, read back."""

from __future__ import annotations

import numpy as np
import pytest
from space_texts import space_of, text_with

from nas.architecture import Architecture, build, estimate
from nas.architecture.text import to_yaml
from nas.errors import UserError
from nas.schema.problems import SchemaError
from nas.space import SearchSpace, enumerating
from nas.space.askers import following
from nas.task import Task

SIDES = "{choice: [32, 48, 64]}"


def space(resolution: str = SIDES, **fields: str) -> SearchSpace:
    return space_of(text_with(**fields).replace("resolution: 32", f"resolution: {resolution}"))


def test_candidates_are_priced_at_their_own_resolution_and_carry_it() -> None:
    found = space(depth="[1, {int: [1, 3]}]")
    assert found.size() == found.within().count == 9
    within = found.within()
    rows = within.draw(9, np.random.default_rng(0))
    for row, flops in zip(rows, within.costs(rows)["flops"], strict=True):
        architecture = within.architecture(row)
        assert architecture.resolution in (32, 48, 64)
        assert flops == estimate(architecture, Task(resolution=architecture.resolution, classes=10)).flops
        assert found.locate(architecture) == within.decode(row)
        assert Architecture.from_dict(architecture.to_dict()).id == architecture.id
        assert space_of(to_yaml(architecture)).build(following({})) == architecture
        build(architecture, classes=10)


def test_budget_and_count_see_the_resolution() -> None:
    found = space(depth="[1, {int: [1, 3]}]")
    costs = sorted(estimate(one, one.task_of(found.task)).flops for one in enumerating(found))
    assert found.within(f"{costs[4]}FLOPs").count == 5
    assert found.within().ends("flops") == (costs[0], costs[-1])


def test_without_a_decision_ids_have_no_resolution() -> None:
    plain = space("64").build(following({}))
    assert plain.resolution is None
    assert "resolution" not in plain.to_dict()
    chosen = space("{int: [64, 64]}").build(following({}))
    assert chosen.resolution == 64
    assert chosen.id != plain.id


def test_another_resolution_is_refused_where_it_is_searched() -> None:
    with pytest.raises(UserError, match=r"the resolution is a decision of x \(32, 48, 64\)"):
        space().within(task=Task(resolution=96))


@pytest.mark.parametrize(
    ("written", "says"),
    [("{choice: [32, x]}", "must be a whole number"), ("{choice: []}", "at least one option"),
     ("{choice: [32, 0]}", "must be between 1"), ("{chioce: [32]}", "unknown key 'chioce'")],
)  # fmt: skip
def test_what_is_no_resolution_is_told(written: str, says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        space(written)


def test_limits_by_maps_hold_at_the_smallest_resolution() -> None:
    block = "{kind: mixer_first, mixer: {kind: depthwise, kernel: {choice: [3, 17, 33], at_most: 1 maps}}}"
    assert space(block=block).dimensions()["stages.block.mixer.kernel"].values == (3,)
