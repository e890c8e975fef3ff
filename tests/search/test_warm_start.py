from __future__ import annotations

from pathlib import Path

import pytest
from search_runs import make_definition, run_here

from nas.architecture import Architecture
from nas.cost import Budget
from nas.errors import UserError
from nas.ledger import Ledger
from nas.search.objectives import Objectives
from nas.search.warm_start import WarmStart
from nas.space import load_architecture, load_space

CONVNEXT = load_space("convnext")


def starts(budget: str | None = None) -> WarmStart:
    return WarmStart(CONVNEXT, Budget.parse(budget), CONVNEXT.task, Objectives())


def test_presets_are_found_in_the_space() -> None:
    (tiny, small) = starts().choices(["convnext_tiny", "convnext_small", "convnext_tiny"], None)
    from nas.space.askers import following

    assert CONVNEXT.build(following(tiny)) == load_architecture("convnext_tiny")
    assert CONVNEXT.build(following(small)) == load_architecture("convnext_small")


@pytest.mark.parametrize(
    ("reference", "budget", "says"),
    [
        ("resnet50", None, "no point of the space convnext"),
        ("convnext_tiny", "3GFLOPs", "its flops are not within 3GFLOPs"),
        ("convnext_tinny", None, "no study of the ledger, and .*did you mean 'convnext_tiny'"),
    ],
)
def test_what_cannot_begin_a_search_is_refused(reference: str, budget: str | None, says: str) -> None:
    with pytest.raises(UserError, match=says):
        starts(budget).choices([reference], None)


def test_front_of_a_study_begins_another_one_and_is_not_trained_again(ledger: Ledger) -> None:
    first = make_definition(sampler="random")
    run_here(ledger, first.problem(), name="first", trials=12)
    space, budget = first.space, Budget.parse("20MFLOPs")
    found = WarmStart(space, budget, space.task, Objectives()).choices(["first"], ledger)
    assert found
    problem = make_definition(start=tuple(found), budget=budget).problem()
    progress = run_here(ledger, problem, name="second", trials=len(found))
    assert (progress.reused, progress.trained) == (len(found), 0)
    known = {trial.architecture_id: trial for trial in ledger.trials("first")}
    begun = [known[trial.architecture_id] for trial in ledger.trials("second")]
    assert all(trial.cost["flops"] <= 20e6 for trial in begun)
    with pytest.raises(UserError, match=r"none of the \d+ on the front"):
        WarmStart(CONVNEXT, Budget(), CONVNEXT.task, Objectives()).choices(["first"], ledger)


def test_a_candidate_and_a_file_begin_a_search(ledger: Ledger, tmp_path: Path) -> None:
    first = make_definition(sampler="random")
    run_here(ledger, first.problem(), name="first", trials=3)
    space, known = first.space, ledger.trials("first")[0].architecture_id
    Architecture.from_dict(ledger.architecture(known)).save(tmp_path / "one.yaml")
    starts = WarmStart(space, Budget(), space.task, Objectives(), tmp_path)
    candidate = starts.choices([f"first:{known[:10]}"], ledger)
    assert len(candidate) == 1
    assert candidate == starts.choices(["one.yaml"], None)
    with pytest.raises(UserError, match="no ledger with studies yet"):
        starts.choices(["first:0123"], None)
