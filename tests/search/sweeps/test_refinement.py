from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from search_runs import make_definition

from nas.data import describe
from nas.errors import StudyError, UserError
from nas.ledger import Ledger
from nas.records import Evaluation, EvaluationKey, Failure, StudyKind, StudyRecord, TrialRecord, TrialState
from nas.report.refine import recipe_text, refined_rows
from nas.search.bench.in_process import InProcess
from nas.search.definition import searched_study
from nas.search.driver import Driver
from nas.search.sweeps.refinement import (
    Refinement,
    best_of_front,
    named_architectures,
    plan_refinement,
    refined_recipe,
    require_top_or_ids,
)
from nas.search.sweeps.refinement_run import RefinementRun
from nas.search.sweeps.trainings import Sweep, Training, open_study
from nas.space import load_space
from nas.train.recipe import Recipe, load_recipe

SPACE = load_space("tiny")
THREE = SPACE.sample(3, "5MFLOPs", seed=0)
RUNGS = Recipe(epochs=9, rungs=(1, 3))


def make_plan(*, trials: int = 6, architectures: int = 2, recipe: Recipe = RUNGS) -> Refinement:
    return Refinement(
        refines="searched", task=SPACE.task, data="digits", fingerprint="0" * 16, recipe=recipe,
        architectures=tuple(THREE[:architectures]), trials=trials, seed=0,
    )  # fmt: skip


def accuracy_of(key: EvaluationKey) -> float:
    """One that follows from the training, and is a little like that of its lower rungs."""
    digest = sha256(f"{key.architecture_id} {key.recipe}".encode()).digest()
    return (digest[0] + digest[1 + key.rung] / 4 + 40 * key.rung) / 512


Outcome = Callable[[EvaluationKey], Evaluation]


class Here(InProcess):
    """Workers in this process, the oldest job done first; may be interrupted.

    Attributes:
        trained: what was trained.
    """

    def __init__(self, *, steps: int | None = None, width: int = 1, outcome: Outcome | None = None) -> None:
        super().__init__(lambda job, *, report: self._train(job.key), workers=width)
        self._left = itertools.count() if steps is None else iter(range(steps))
        self._outcome = outcome or (lambda key: Evaluation(key=key, accuracy=accuracy_of(key), seconds=1.0))
        self.trained: list[EvaluationKey] = []

    def _train(self, key: EvaluationKey) -> Evaluation:
        if next(self._left, None) is None:
            raise KeyboardInterrupt
        self.trained.append(key)
        return self._outcome(key)


def refine(plan: Refinement, ledger: Ledger, here: Here) -> None:
    open_study(ledger, plan.name, StudyKind.REFINE, plan.to_dict())
    Driver(RefinementRun(plan, ledger), executor=here).run("here:1")


def contents(ledger: Ledger, plan: Refinement) -> list[tuple[Any, ...]]:
    return [(trial.number, trial.choices, trial.state, trial.evaluation) for trial in ledger.trials(plan.name)]


def test_the_unchanged_recipe_comes_first_and_is_trained_to_the_end(ledger: Ledger) -> None:
    plan, here = make_plan(trials=12), Here()
    refine(plan, ledger, here)
    trials = ledger.trials(plan.name)
    assert [trial.choices["draw"] for trial in trials[:2]] == [0, 0]
    assert {trial.state for trial in trials[:2]} == {TrialState.DONE}
    assert {trial.evaluation.key.recipe for trial in trials[:2] if trial.evaluation} == {RUNGS.id}
    assert {trial.state for trial in trials} == {TrialState.DONE, TrialState.STOPPED}
    assert len(here.trained) == len(set(here.trained)) < 24 * 3
    stopped = [trial for trial in trials if trial.state is TrialState.STOPPED]
    assert {trial.evaluation.key.rung for trial in stopped if trial.evaluation} <= {0, 1}
    for key in here.trained:  # by its own hash, whoever asks
        assert ledger.find(key) == Evaluation(key=key, accuracy=accuracy_of(key), seconds=1.0)
    row = refined_rows(plan, trials)[0]
    unchanged = EvaluationKey(architecture_id=row.id, recipe=RUNGS.id, fingerprint="0" * 16, seed=0, rung=2)
    assert row.finished + sum(row.stopped.values()) == 12
    assert row.failed == 0
    finals = [accuracy_of(one) for one in here.trained if one.rung == 2 and one.architecture_id == row.id]
    assert row.best == max(finals)
    assert row.unchanged == accuracy_of(unchanged)
    assert row.gain == pytest.approx((row.best or 0) - (row.unchanged or 0))


@pytest.mark.slow
@settings(max_examples=2, deadline=None)
@given(stops=st.lists(st.integers(0, 12), max_size=4), width=st.integers(1, 3))
def test_resumed_is_uninterrupted_and_trains_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, stops: list[int], width: int
) -> None:
    plan, folder = make_plan(), tmp_path_factory.mktemp("ledgers")
    with Ledger.open(f"sqlite:///{folder}/whole.db") as whole, Ledger.open(f"sqlite:///{folder}/parts.db") as parts:
        refine(plan, whole, Here())
        trained: list[EvaluationKey] = []
        for steps in stops:
            here = Here(steps=steps)
            with suppress(KeyboardInterrupt):
                refine(plan, parts, here)
            trained += here.trained
        last = Here()
        refine(plan, parts, last)
        trained += last.trained
        assert len(trained) == len(set(trained))
        assert contents(parts, plan) == contents(whole, plan)
        again = Here(width=width)
        refine(plan, parts, again)
        assert again.trained == []


@pytest.mark.slow
@settings(max_examples=2, deadline=None)
@given(steps=st.integers(0, 30), width=st.integers(2, 5))
def test_side_by_side_nothing_is_trained_twice_and_all_is_decided(
    tmp_path_factory: pytest.TempPathFactory, steps: int, width: int
) -> None:
    plan, folder = make_plan(), tmp_path_factory.mktemp("ledger")
    with Ledger.open(f"sqlite:///{folder}/nas.db") as ledger:
        first, second, third = Here(steps=steps, width=width), Here(width=width), Here(width=width)
        with suppress(KeyboardInterrupt):
            refine(plan, ledger, first)
        refine(plan, ledger, second)
        trained = [*first.trained, *second.trained]
        assert len(trained) == len(set(trained))
        assert {trial.state for trial in ledger.trials(plan.name)} <= {TrialState.DONE, TrialState.STOPPED}
        refine(plan, ledger, third)
        assert third.trained == []


def test_what_another_study_knows_is_not_trained(ledger: Ledger) -> None:
    plan = make_plan(trials=2)
    sweep = Sweep(
        study="searched", kind=StudyKind.COMPARE, task=SPACE.task, data="digits", fingerprint="0" * 16,
        trainings=(Training(label={"n": 0}, architecture=THREE[0], recipe=RUNGS, seed=0, rung=0),),
    )  # fmt: skip
    open_study(ledger, "searched", StudyKind.COMPARE, {})
    known = [Evaluation(key=sweep.key(one), accuracy=0.9) for one in sweep.trainings]
    ledger.write_trials(
        "searched",
        [_trial(0, THREE[0].id, known[0])],
        architectures={THREE[0].id: THREE[0].to_dict()},
    )
    here = Here()
    refine(plan, ledger, here)
    unchanged = [key.rung for key in here.trained if (key.architecture_id, key.recipe) == (THREE[0].id, RUNGS.id)]
    assert unchanged == [1, 2]


def _trial(number: int, architecture: str, evaluation: Evaluation, **cost: int) -> TrialRecord:
    price = {"flops": 1, "params": 1, "activations": 1, "train_flops": 1, "train_params": 1, **cost}
    return TrialRecord(
        number=number, architecture_id=architecture, choices={"n": number}, cost=price, overrun={},
        state=TrialState.DONE, evaluation=evaluation,
    )  # fmt: skip


def test_a_lost_worker_costs_a_step_and_three_give_a_training_up(ledger: Ledger) -> None:
    plan = make_plan(trials=2, architectures=1)
    tries: list[EvaluationKey] = []

    def unlucky(key: EvaluationKey) -> Evaluation:
        tries.append(key)
        is_cursed = key.recipe != RUNGS.id and key.rung == 0
        is_first = tries.count(key) == 1 and key.rung == 2
        if is_cursed or is_first:
            return Evaluation(key=key, failure=Failure.NODE_LOST, message=f"gone {tries.count(key)}")
        return Evaluation(key=key, accuracy=0.1 * key.rung + 0.5)

    refine(plan, ledger, Here(outcome=unlucky))
    unchanged, changed = ledger.trials(plan.name)
    assert (unchanged.state, unchanged.attempts) == (TrialState.DONE, 4)
    assert sorted((key.rung, tries.count(key)) for key in set(tries)) == [(0, 1), (0, 3), (1, 1), (2, 2)]
    assert (changed.state, changed.attempts) == (TrialState.FAILED, 3)
    assert ledger.failures(plan.name) == {Failure.NODE_LOST: 4}
    luckier = Here(outcome=lambda key: Evaluation(key=key, accuracy=0.9))
    refine(plan, ledger, luckier)  # the next run tries it again, and only that
    assert [key.rung for key in luckier.trained] == [0, 1, 2]
    assert ledger.trials(plan.name)[1].state is TrialState.DONE


def test_failures_are_kept_and_end_a_climb(ledger: Ledger) -> None:
    plan = make_plan(trials=3, architectures=1)

    def diverging(key: EvaluationKey) -> Evaluation:
        if key.recipe != RUNGS.id and key.rung == 1:
            return Evaluation(key=key, failure=Failure.DIVERGED, message="the loss is nan")
        return Evaluation(key=key, accuracy=accuracy_of(key))

    here = Here(outcome=diverging)
    refine(plan, ledger, here)
    (row,) = refined_rows(plan, ledger.trials(plan.name))
    assert (row.finished, row.failed + sum(row.stopped.values())) == (1, 2)
    assert (row.draw, row.gain, row.changes, row.recipe) == (0, 0.0, {}, RUNGS.id)
    again = Here(outcome=diverging)
    refine(plan, ledger, again)
    assert again.trained == []  # it would diverge again


def test_a_later_run_may_ask_for_more(ledger: Ledger) -> None:
    small, large = make_plan(trials=3, architectures=2), make_plan(trials=5, architectures=3)
    assert small.name == large.name
    refine(small, ledger, Here())
    before = contents(ledger, small)
    here = Here()
    refine(large, ledger, here)
    assert contents(ledger, large)[: len(before)] == before
    assert len(contents(ledger, large)) == 15


def test_another_recipe_or_seed_is_another_study() -> None:
    plan = make_plan()
    other = make_plan(recipe=Recipe(epochs=3))
    assert plan.name.startswith("searched-refined-")
    assert plan.name != other.name


def test_two_drivers_are_refused(ledger: Ledger) -> None:
    plan = make_plan()
    open_study(ledger, plan.name, StudyKind.REFINE, plan.to_dict())
    with ledger.lease(plan.name, holder="elsewhere:1"), pytest.raises(StudyError, match="elsewhere:1"):
        refine(plan, ledger, Here())


# What is refined.


def a_search(ledger: Ledger, accuracies: Sequence[float]) -> None:
    """A finished study whose architectures get dearer in their order."""
    definition = make_definition()
    ledger.create_study(
        StudyRecord(
            name="searched", kind=StudyKind.SEARCH, definition=definition.to_dict(), created="2026-01-01T00:00:00"
        )
    )
    for number, accuracy in enumerate(accuracies):
        key = EvaluationKey(architecture_id=THREE[number].id, recipe=Recipe().id, fingerprint="0" * 16, seed=0)
        ledger.write_trials(
            "searched",
            [_trial(number, THREE[number].id, Evaluation(key=key, accuracy=accuracy), flops=number + 1)],
            architectures={THREE[number].id: THREE[number].to_dict()},
        )


def test_the_most_accurate_of_the_front_are_taken(ledger: Ledger) -> None:
    a_search(ledger, [0.5, 0.4, 0.6])
    name, definition = searched_study(ledger, None)
    ids = [one.id for one in THREE]
    assert [row.id for row in best_of_front(ledger, name, definition, top=None)] == [ids[0], ids[2]]
    assert [row.id for row in best_of_front(ledger, name, definition, top=1)] == [ids[2]]
    with pytest.raises(StudyError, match="--top 3: the front of study 'searched' has 2 architectures"):
        best_of_front(ledger, name, definition, top=3)
    assert named_architectures(ledger, name, [ids[1][:8], ids[1]]) == [THREE[1]]
    with pytest.raises(StudyError, match="no architecture of study 'searched' begins with 'zz'"):
        named_architectures(ledger, name, ["zz"])


def test_a_refinement_is_not_taken_for_a_search(ledger: Ledger) -> None:
    with pytest.raises(StudyError, match="no study that searches a space"):
        searched_study(ledger, None)
    a_search(ledger, [0.5])
    plan = make_plan(architectures=1, trials=2)
    refine(plan, ledger, Here())
    assert ledger.latest_study() == plan.name
    assert searched_study(ledger, None)[0] == "searched"
    with pytest.raises(StudyError, match="nas refine"):
        searched_study(ledger, plan.name)
    with pytest.raises(StudyError, match="unknown study 'nothing'"):
        searched_study(ledger, "nothing")


def test_a_study_without_accuracies_has_no_front(ledger: Ledger) -> None:
    a_search(ledger, [])
    with pytest.raises(StudyError, match="has no front"):
        best_of_front(ledger, *searched_study(ledger, None), top=None)


def test_top_and_ids_exclude_each_other() -> None:
    with pytest.raises(UserError, match="--top and --id"):
        require_top_or_ids(2, ["ab"])


def test_images_must_survive_the_strides() -> None:
    with pytest.raises(UserError, match="a rung trains at 1x1"):
        plan_refinement(
            "searched", make_definition(), THREE, data=describe("digits"), recipe=Recipe(resolution=1), trials=2, seed=1
        )


@pytest.mark.parametrize(
    ("epochs", "own", "given", "stops"),
    [
        (1, (), None, []), (2, (), None, []), (3, (), None, [1]), (9, (), None, [1, 3]), (300, (), None, [11, 33, 100]),
        (9, (2,), None, [2]), (9, (2,), [1, 4], [1, 4]), (9, (2,), [], []),
    ],
)  # fmt: skip
def test_where_recipes_stop(epochs: int, own: tuple[int, ...], given: list[int] | None, stops: list[int]) -> None:
    found = refined_recipe(Recipe.from_dict({"epochs": epochs, "rungs": list(own)}), rungs=given)
    assert [rung.epochs for rung in found.rungs] == stops


def test_a_recipe_file_reads_back_to_the_same_recipe(ledger: Ledger, tmp_path: Path) -> None:
    plan = make_plan(trials=4, recipe=load_recipe("convnext_300e").changed(rungs=[10]))
    refine(plan, ledger, Here())
    for row, architecture in zip(refined_rows(plan, ledger.trials(plan.name)), plan.architectures, strict=True):
        recipe = plan.recipe_of(architecture, row.draw)
        path = tmp_path / f"{row.id}.yaml"
        path.write_text(recipe_text(recipe, row, plan))
        assert load_recipe(path) == recipe
        assert recipe.id == row.recipe
