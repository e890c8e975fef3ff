"""How often the surrogate's 95 % bands hold the truth: the table of studies/samplers/coverage.md.

    python tests/search/band_coverage.py studies/tables/*.yaml --files FOLDER -o studies/samplers/coverage.md

A model is made of the first trainings of a search, or of as many networks drawn at random, and asked about networks of
the table that it has not seen: all, and the tenth that it believes to be the best.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import norm
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parent))

from search_tables import make_problem
from surrogate_searches import setting_of, trained

from nas.search.bench.run import seen_by
from nas.search.bench.table import Table, read_table
from nas.search.samplers.base import Setting
from nas.search.samplers.surrogate.description import Description
from nas.search.samplers.surrogate.fitting import JITTER, fit
from nas.search.samplers.surrogate.kernel import Inputs, Kernel
from nas.search.samplers.surrogate.lessons import Scale
from nas.search.samplers.surrogate.posterior import Posterior

_ASKED = 1_500  # networks a model is asked about
_BAND = 1.96
_FOREMOST = 0.9  # quantile of what is believed
SIZES = (15, 25, 50, 100)


class Coverage(NamedTuple):
    """Shares of true accuracies within the bands of one model.

    Attributes:
        before: as the model thinks, all and the believed best.
        after: widened.
        widening: by what.
    """

    before: tuple[float, float]
    after: tuple[float, float]
    widening: float


def searched(table: Table, *, seed: int, trials: int) -> tuple[list[int], Setting]:
    """Rows of the table in the order in which a search of a seed trains them, and what it knew."""
    setting = setting_of(make_problem(table, costs=(table.cost,), seed=seed))
    shown = seen_by(table, seed=seed)
    rows = trained(setting, lambda row: float(shown[table.row_of[row.tobytes()]]), trials=trials)
    return [table.row_of[np.ascontiguousarray(row, np.int16).tobytes()] for row in rows], setting


def coverage(table: Table, description: Description, known: Sequence[int], *, seed: int) -> Coverage:
    """Of a model that has seen the accuracies of some rows."""
    shown = seen_by(table, seed=seed)[known]
    scale = Scale.of(shown)
    observed, targets = description.inputs_of(table.codes[known]), scale.targets(shown)
    kernel = Kernel(description.embedding, fit(description.embedding, observed, targets))
    posterior = Posterior(kernel, observed, targets, room=1)
    rest = np.setdiff1d(np.arange(len(table)), known)
    asked = np.random.default_rng(seed).permutation(rest)[:_ASKED]
    nothing = Inputs(observed.features[:0], observed.costs[:0])
    means, variances = posterior.at(description.inputs_of(table.codes[asked]), pending=nothing)
    away = np.abs(scale.targets(table.true[asked]) - means) / np.sqrt(variances)
    foremost = means >= np.quantile(means, _FOREMOST)
    factor = widening(kernel, observed, targets)

    def within(limit: float) -> tuple[float, float]:
        return float((away <= limit).mean()), float((away[foremost] <= limit).mean())

    return Coverage(within(_BAND), within(_BAND * factor), factor)


def widening(kernel: Kernel, observed: Inputs, targets: np.ndarray) -> float:
    """By what standard deviations without noise are to be multiplied, at least 1, judged by the model's own lessons.

    Each is predicted from all others in closed form (Rasmussen and Williams, "Gaussian Processes for Machine Learning",
    2006, equations 5.10 to 5.12); the median magnitude of the residuals over the deviation *without* noise is set
    against that of a standard normal number. With the noise, the fit of the hyper-parameters has made them normal
    already: their root mean square is .94 to 1.05.
    """
    points = kernel.points(observed)
    noise = kernel.hyperparameters.noise + JITTER
    inverse = np.linalg.inv(kernel.between(points, points) + noise * np.eye(len(targets)))
    variances = np.maximum(1 / np.diag(inverse) - noise, 1e-10)
    ratios = np.abs(inverse @ targets) / np.diag(inverse) / np.sqrt(variances)
    return max(1.0, float(np.median(ratios) / norm.ppf(0.75)))


def lines(table: Table, *, seeds: int) -> list[str]:
    """Rows of the report, means over the seeds."""
    found: dict[tuple[str, int], list[Coverage]] = {}
    for seed in range(seeds):
        order, setting = searched(table, seed=seed, trials=max(SIZES))
        drawn = np.random.default_rng(seed).permutation(len(table))[: max(SIZES)].tolist()
        for kind, rows in (("search", order), ("random", drawn)):
            for size in SIZES:
                one = coverage(table, Description(setting), rows[:size], seed=seed)
                found.setdefault((kind, size), []).append(one)
        print(f"{table.name}: {seed + 1} of {seeds} searches", file=sys.stderr)
    return [_line(table.name, *key, ones) for key, ones in sorted(found.items())]


def _line(name: str, kind: str, size: int, ones: Sequence[Coverage]) -> str:
    before, after = (np.mean([getattr(one, field) for one in ones], axis=0) for field in ("before", "after"))
    factors = [one.widening for one in ones]
    cells = [*(f"{share:.1%}" for share in (before[0], after[0], before[1], after[1])), f"{np.median(factors):.2f}"]
    return f"| {name} | {kind} | {size} | " + " | ".join(cells) + " |"


def main() -> None:
    """Write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path, help="descriptions of tables of trained networks")
    parser.add_argument("--files", type=Path, help="folder of their CSV files")
    parser.add_argument("--seeds", type=int, default=5, help="searches of each table")
    parser.add_argument("-o", "--output", type=Path, help="Markdown file; default: the standard output")
    given = parser.parse_args()
    with threadpool_limits(1):
        rows = [row for path in given.tables for row in lines(read_table(path, given.files), seeds=given.seeds)]
    text = _TEXT.format(seeds=given.seeds, asked=_ASKED, rows="\n".join(rows))
    if given.output is None:
        print(text)
    else:
        given.output.write_text(text, encoding="utf-8")


_TEXT = """# How often the surrogate's 95 % bands hold the truth

{seeds} searches of each table by `surrogate`, and {seeds} random draws of it, each seen with one training's accuracy a
network. A model is made of the first trainings and asked about {asked:,} networks that it has not seen; the truth is
the mean over the table's trainings. Own: the model's standard deviation without noise, which the sampler acts by.
Widened: the same, multiplied by what the residuals of its lessons ask for, each predicted from all others (closed form,
without noise, median). Believed best: the tenth of the networks with the highest means. Shares are means over the
seeds, the factor is their median.

| table | lessons | trainings | own | widened | believed best, own | widened | factor |
|---|---|---:|---:|---:|---:|---:|---:|
{rows}

## How it was run

    python tests/search/band_coverage.py studies/tables/macro-flops.yaml studies/tables/nb201-c100-flops.yaml \\
        --files FOLDER --seeds {seeds} -o studies/samplers/coverage.md

FOLDER holds the two published tables that the descriptions name.
"""


if __name__ == "__main__":
    main()
