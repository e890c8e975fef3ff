"""Absurd values for every option of every command: one message, no traceback, nothing left behind."""

from __future__ import annotations

import random

import pytest
from option_sweep import Case, cases, run

QUICK = ("cost", "show", "diff", "status", "studies", "pareto", "presets", "recipes", "grammar", "cache", "sample")
SAMPLE = random.Random(0).sample([one for one in cases() if one.parameter.command[0] in QUICK], 60)


@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_a_sample_of_absurd_values(case: Case) -> None:
    assert run(case).problem == ""


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("command", sorted({" ".join(one.parameter.command) for one in cases()}))
def test_every_absurd_value_of_every_option(command: str) -> None:
    chosen = [one for one in cases() if " ".join(one.parameter.command) == command]
    wrong = {str(one): outcome.problem for one in chosen if (outcome := run(one)).problem}
    assert not wrong
