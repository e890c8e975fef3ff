"""Small tables of networks that nobody trained: complete, noisy, with decisions of both kinds."""

from __future__ import annotations

import csv
import gzip
import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nas.search.bench.table import Table
from nas.search.bench.table_domain import TableDomain
from nas.search.objectives import Objectives
from nas.search.problem import DEFAULT_CONTROL, Problem, Proxy
from nas.space import Choice

ACTS, DEPTHS, WIDTHS = ("gelu", "relu", "silu"), (1, 2, 3, 4), (8, 16, 32, 64)


def make_table(*, sizes: Sequence[int] = (3, 4, 4), seed: int = 0, share: float = 1.0) -> Table:
    """All combinations of an unordered decision, depths and widths, or a random share of them."""
    rng = np.random.default_rng(seed)
    rows = np.array(list(itertools.product(*(range(size) for size in sizes))), np.int16)
    rows = rows[rng.random(len(rows)) < share]
    act, depth, width = rows[:, 0], 1.0 + rows[:, 1], 8.0 * 2.0 ** rows[:, 2]
    further = rows[:, 3:].sum(axis=1)
    flops = depth * width**2 * (1 + 0.1 * further)
    true = 0.6 + 0.04 * np.log(depth) + 0.05 * np.log(width) + 0.01 * (act == 1) - 0.01 * (further == 1)
    seen = true[:, None] + rng.normal(0, 0.003, (len(true), 3))
    options = itertools.chain([ACTS, DEPTHS, WIDTHS], itertools.repeat(("a", "b", "c", "d")))
    return Table(
        name="small", about="", true=true, seen=seen, fingerprint="0" * 16, codes=rows,
        dimensions={f"d{place}": Choice(tuple(next(options)[:size])) for place, size in enumerate(sizes)},
        costs={"flops": flops, "params": flops / 3 + width},
    )  # fmt: skip


def make_problem(
    table: Table | None = None, *, sampler: str = "surrogate", seed: int = 0, limit: float = math.inf,
    costs: tuple[str, ...] = ("flops",), control: float = DEFAULT_CONTROL,
) -> Problem:  # fmt: skip
    table = make_table() if table is None else table
    return Problem(
        domain=TableDomain(table, limit=limit), objectives=Objectives(costs), sampler=sampler, seed=seed,
        control=control, proxy=Proxy(recipe={}, recipe_id="r", data="t", fingerprint=table.fingerprint, seed=seed),
    )  # fmt: skip


DESCRIPTION = """
name: small
file: {file}
decisions: {{act: categories, depth: ordered, ops: characters}}
seen: [acc_0, acc_1]
scored: acc_mean
costs: [flops, params]
"""


def write_table(folder: Path, *, networks: int = 24, file: str = "small.csv", change: str = "") -> Path:
    """A description and its CSV file; `change` is more YAML."""
    rng = np.random.default_rng(0)
    rows = []
    for act, depth, ops in itertools.islice(itertools.product(ACTS, DEPTHS, ("00", "01", "10", "11")), networks):
        accuracy = 60 + 3 * depth + (act == "relu") + int(ops, 2)
        seen = [f"{accuracy + noise:.2f}" for noise in rng.normal(0, 0.2, 2)]
        rows.append([act, depth, ops, *seen, accuracy, depth * (1000 + int(ops, 2)), depth * 100])
    opened = gzip.open if file.endswith(".gz") else open
    with opened(folder / file, "wt", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["act", "depth", "ops", "acc_0", "acc_1", "acc_mean", "flops", "params"])
        writer.writerows(rows)
    path = folder / "small.yaml"
    path.write_text(DESCRIPTION.format(file=file) + change)
    return path
