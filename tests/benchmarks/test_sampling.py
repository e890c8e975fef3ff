"""Candidates within a budget: by table, against drawing, building and counting until one fits."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nas.architecture import Architecture, skeleton
from nas.space import SearchSpace, drawing, load_space

_LOW, _HIGH = 4_200_000_000, 4_500_000_000
_CANDIDATES = 100_000
_USUAL = 4  # feasible candidates that the usual way is given the time to find


def counted(architecture: Architecture) -> int:
    """Multiply-adds of the module on the `meta` device."""
    network = skeleton(architecture).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(1, 3, 224, 224, device="meta"))
    return counter.get_total_flops() // 2


def usual_seconds(space: SearchSpace) -> tuple[float, float]:
    """Seconds for one draw, and for one that is within budget."""
    ask, found, draws = drawing(random.Random(0)), 0, 0
    counted(space.build(ask))  # the first call loads what torch needs
    start = time.process_time()
    while found < _USUAL:
        draws += 1
        found += _LOW <= counted(space.build(ask)) <= _HIGH
    spent = time.process_time() - start
    return spent / draws, spent / found


@pytest.mark.benchmark
def test_candidates_by_table_are_5000_times_faster_than_by_building(capsys: pytest.CaptureFixture[str]) -> None:
    space = load_space("modern")
    torch.set_num_threads(1)
    start = time.process_time()
    feasible = space.within(f"{_LOW}..{_HIGH}FLOPs")
    ready = time.process_time() - start
    start = time.process_time()
    rows = feasible.draw(_CANDIDATES, np.random.default_rng(0))
    each = (time.process_time() - start) / _CANDIDATES
    flops = feasible.costs(rows)["flops"]
    assert len(np.unique(rows, axis=0)) == _CANDIDATES
    assert ((flops >= _LOW) & (flops <= _HIGH)).all()
    for row, cost in zip(rows[:3], flops, strict=False):
        assert counted(feasible.architecture(row)) == feasible.costs(row[None])["train_flops"][0] >= cost
    a_draw, a_find = usual_seconds(space)
    with_setup = each + ready / _CANDIDATES
    with capsys.disabled():
        print(
            f"\nmodern within 4.2..4.5GFLOPs, one core: {1 / each:,.0f} distinct candidates a second after "
            f"{ready:.1f} s; drawn, built on meta and counted {1 / a_find:.2f} a second ({1 / a_draw:.0f} draws): "
            f"{a_find / each:,.0f} times, {a_find / with_setup:,.0f} with the setup, {a_draw / each:,.0f} a mere draw"
        )
    assert a_find > 5000 * with_setup
