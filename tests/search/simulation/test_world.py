from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from simulations import NEVER, flops, jobs, make_world

from nas.records import Failure, Job
from nas.search.simulation.world import Odds


@cache
def many() -> list[Job]:
    return jobs(600)


def test_what_a_job_draws_follows_from_seed_key_and_attempt_alone() -> None:
    world = make_world(seed=3, odds=Odds(lost=0.2, out_of_memory=0.2, diverged=0.2))
    first = {job.key: world.outcome(job) for job in many()[:50]}
    shuffled = random.Random(0).sample(many()[:50], 50)
    assert {job.key: make_world(seed=3, odds=world.odds).outcome(replace(job, id="7.1")) for job in shuffled} == first
    others = [make_world(seed=4), replace(world, seed=4)]
    assert all({job.key: other.outcome(job) for job in many()[:50]} != first for other in others)
    again = {job.key: world.outcome(replace(job, id="7.2")) for job in many()[:50]}
    assert again != first
    for key, outcome in again.items():  # another attempt meets another fate, but the same network
        before = first[key].evaluation
        if Failure.NODE_LOST not in (outcome.evaluation.failure, before.failure):
            assert (outcome.evaluation.failure, outcome.evaluation.accuracy) == (before.failure, before.accuracy)


@pytest.mark.slow
def test_durations_are_log_normal_about_a_mean_in_proportion_to_flops() -> None:
    world = make_world(odds=NEVER, spread=0.4)
    ratios = [world.outcome(job).seconds / (6 / 9 * 600 * flops(job) / 2e7) for job in many()]  # the last 6 of 9 epochs
    assert sum(ratios) / len(ratios) == pytest.approx(1, abs=4 * 0.42 / math.sqrt(len(ratios)))
    logs = [math.log(ratio) for ratio in ratios]
    mean = sum(logs) / len(logs)
    deviation = math.sqrt(sum((one - mean) ** 2 for one in logs) / (len(logs) - 1))
    assert mean == pytest.approx(-(0.4**2) / 2, abs=4 * 0.4 / math.sqrt(len(logs)))
    assert deviation == pytest.approx(0.4, rel=4 / math.sqrt(2 * len(logs)))


def test_a_rung_takes_its_share_of_the_epochs() -> None:
    world = make_world(odds=NEVER, spread=0.0)
    parts = [world.outcome(jobs(1, rung=rung)[0]).seconds for rung in range(3)]
    assert [round(part / sum(parts), 9) for part in parts] == [round(one / 9, 9) for one in (1, 2, 6)]


def test_failures_are_as_frequent_as_their_odds() -> None:
    odds = Odds(lost=0.1, out_of_memory=0.05, diverged=0.2)
    found = Counter(make_world(odds=odds).outcome(job).evaluation.failure for job in many())
    remaining = float(len(many()))
    for failure, share in (
        (Failure.NODE_LOST, 0.1), (Failure.OUT_OF_MEMORY, 0.05), (Failure.DIVERGED, 0.2),
    ):  # fmt: skip
        assert found[failure] == pytest.approx(remaining * share, abs=4 * math.sqrt(remaining * share * (1 - share)))
        remaining -= found[failure]
    assert found[None] == remaining


@pytest.mark.slow
def test_accuracies_are_smooth_but_for_their_noise() -> None:
    accuracies = [make_world(odds=NEVER, noise=0.0).outcome(job).evaluation.accuracy for job in many()]
    noisy = [make_world(odds=NEVER, noise=0.01).outcome(job).evaluation.accuracy for job in many()]
    errors = [there - here for here, there in zip(accuracies, noisy, strict=True)]  # type: ignore[operator]
    deviation = math.sqrt(sum(one**2 for one in errors) / len(errors))
    assert deviation == pytest.approx(0.01, rel=4 / math.sqrt(2 * len(errors)))
    assert all(0 < one < 1 for one in accuracies)  # type: ignore[operator]
    by_rung = [make_world(odds=NEVER, noise=0.0).outcome(jobs(1, rung=rung)[0]).evaluation for rung in range(3)]
    assert by_rung[0].accuracy < by_rung[1].accuracy < by_rung[2].accuracy  # type: ignore[operator]
