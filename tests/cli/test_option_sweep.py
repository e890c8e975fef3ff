"""Absurd values for every option of every command: one message, no traceback, nothing left behind.

Samples of what `option_sweep.py` tries as a program: another one with each release of the program's version.
"""

from __future__ import annotations

import random

import pytest
from option_sweep import Case, cases, run, some

import nas

CHANCE = random.Random(nas.__version__)
QUICK = ("cost", "show", "diff", "status", "studies", "pareto", "presets", "recipes", "grammar", "cache")
FEW = CHANCE.sample([one for one in cases() if one.parameter.command[0] in QUICK], 20)
COMMANDS = sorted({" ".join(one.parameter.command) for one in cases()})


@pytest.mark.parametrize("case", FEW, ids=str)
def test_a_few_absurd_values(case: Case) -> None:
    assert run(case).problem == ""


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("command", COMMANDS)
def test_two_absurd_values_of_every_option(command: str) -> None:
    chosen = [one for one in cases() if " ".join(one.parameter.command) == command]
    tried = some(chosen, 2, command)
    assert {str(one): outcome.problem for one in tried if (outcome := run(one)).problem} == {}
