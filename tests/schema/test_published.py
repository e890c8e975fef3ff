"""The table of published networks says of every preset what is true of it."""

import re

import pytest

from nas.architecture import estimate
from nas.errors import UnknownNameError
from nas.schema.packaged import preset_names, preset_path
from nas.schema.published import preset_families
from nas.space import load_architecture
from nas.task import Task

ROWS = [row for family in preset_families() for row in family.members]


def test_every_preset_is_in_one_family() -> None:
    assert sorted(row.name for row in ROWS) == preset_names()


@pytest.mark.slow
def test_costs_are_those_of_the_closed_form() -> None:
    costs = {row.name: estimate(load_architecture(row.name), Task()) for row in ROWS}
    assert [
        row.name for row in ROWS if (row.params, row.flops) != (costs[row.name].params, costs[row.name].flops)
    ] == []


def test_drop_path_rates_are_those_of_the_presets() -> None:
    written = {
        name: re.search(r"^drop_path: (\S+)", preset_path(name).read_text(), re.MULTILINE) for name in preset_names()
    }
    assert {row.name: row.drop_path for row in ROWS} == {
        name: 0.0 if found is None else float(found[1]) for name, found in written.items()
    }
    compared = {row.drop_path for row in ROWS if row.name in {f"replknet_{kernel}" for kernel in (3, 7, 13, 25, "31b")}}
    assert compared == {0.5}


def test_a_family_says_why_members_have_no_drop_path() -> None:
    lacking = [one for one in preset_families() if not all(row.drop_path for row in one.members)]
    assert [one.key for one in lacking if not one.drop_path] == []


def test_accuracies_are_percentages_with_the_size_of_their_images() -> None:
    assert all((row.top1 is None) == (row.at is None) for row in ROWS)
    assert all(60 < row.top1 < 90 for row in ROWS if row.top1 is not None)
    assert sum(row.top1 is not None for row in ROWS) > 150


def test_an_unknown_family_is_told_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'regnet'"):
        preset_families("regnets")
