"""Optuna's view of a search whose space has answers that fit no network."""

from __future__ import annotations

from typing import Any

import pytest

from nas.cost import Budget
from nas.schema.nodes import parse_yaml
from nas.search.objectives import Objectives
from nas.search.optuna.study import OptunaStudy
from nas.search.problem import Problem, Proxy
from nas.search.proposer import Proposer
from nas.search.space_domain import SpaceDomain
from nas.space.load import read_space

GROUPS = """
task: {resolution: 32, classes: 10}
stem: patchify
stages:
  depth: [1, 1]
  width: [{int: [8, 64], step: 4}, {int: [8, 64], step: 4}]
  block: {kind: bottleneck, ratio: 1, mixer: {kind: grouped, groups: {choice: [1, 4, 7, 8, 16], per: stage}}}
  downsample: conv
head: pool_norm_linear
"""


def problem(sampler: str) -> Problem:
    space = read_space(*parse_yaml(GROUPS, "groups.yaml"))
    proxy = Proxy(recipe={}, recipe_id="r", data="digits", fingerprint="f", seed=0)
    domain = SpaceDomain(space, Budget.parse("1GFLOPs"), space.task)
    return Problem(domain=domain, objectives=Objectives(), proxy=proxy, sampler=sampler, seed=3, control=0.0)


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_sampler_is_told_of_the_candidate_it_was_led_to(sampler: str) -> None:
    given = problem(sampler)
    proposer = Proposer(given)
    study: Any = proposer._study
    assert isinstance(study, OptunaStudy)
    for _ in range(12):
        candidate = proposer.ask().candidate
        trial = study._study.get_trials(deepcopy=False)[-1]
        assert trial.params == candidate.choices
        assert set(trial.distributions) == set(trial.params)
        answers: Any = candidate.choices
        assert all(answers[f"stages.{one}.width"] % answers[f"stages.{one}.block.mixer.groups"] == 0 for one in (0, 1))
