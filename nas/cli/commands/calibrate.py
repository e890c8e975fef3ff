"""`nas calibrate`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import Budgets, Json, Resolution, Seed, Space, Storage, overridden
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nas.architecture import Architecture
    from nas.ledger import Ledger
    from nas.measure.profile import NamedProfile
    from nas.records import LatencyRecord
    from nas.task import Task

_TOGETHER = 8  # networks side by side: enough to see a drift, few enough that an interruption loses little


def run(
    space: Space,
    profile: Annotated[str, typer.Option("--profile", "-p", help="How to measure; see nas latency --profiles.")],
    budget: Budgets = None,
    count: Annotated[int, typer.Option("-n", "--count", min=20, help="How many networks to measure.")] = 100,
    seed: Seed = 0,
    resolution: Resolution = None,
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Measure some networks of a space and say how well the latency of the others can be predicted.

    The networks lie within the budget and meet every option as evenly as may be. Those that the ledger knows are not
    measured again, so that an interrupted calibration goes on. Every figure is about networks held out of the fit.
    """
    from nas.cli.output import working
    from nas.ledger import Ledger
    from nas.measure.latencies import task_of
    from nas.measure.prediction.calibration import calibrate
    from nas.measure.prediction.features import describe
    from nas.measure.profile import load_profile
    from nas.report.calibration import calibration_document
    from nas.space import load_space

    started = time.monotonic()
    found, named = load_space(space), load_profile(profile)
    task = task_of(named, overridden(found.task, None, None), resolution=resolution)
    with Ledger.open(storage) as ledger, working("drawing networks") as progress:
        chosen = _chosen(space, budget, count, seed)
        records = _measured(chosen, named, task, ledger, progress)
        progress("fitting")
        timed = [(one, record.ms) for one, record in zip(chosen, records, strict=True) if record.ms is not None]
        calibration = calibrate([describe(one, task) for one, _ in timed], [ms for _, ms in timed])
    document = calibration_document(
        calibration,
        profile=named.name,
        seconds=time.monotonic() - started,
        unstable=sum(bool(one.unstable) for one in records),
    )
    if as_json:
        from nas.cli.output import print_json

        print_json(document)
        return
    _draw(document, found.name, budget)


def _chosen(space: str, budget: list[str] | None, count: int, seed: int) -> list[Architecture]:
    import numpy as np

    from nas.cost import Budget
    from nas.measure.prediction.design import spread
    from nas.space import load_space

    within = load_space(space).within(Budget.parse(budget))
    return [within.architecture(row) for row in spread(within, count, np.random.default_rng(seed))]


def _measured(
    chosen: Sequence[Architecture],
    named: NamedProfile,
    task: Task,
    ledger: Ledger,
    progress: Callable[[str], None],
) -> list[LatencyRecord]:
    """Group by group, each kept as soon as it is measured."""
    from nas.cli.output import beginning
    from nas.measure.latencies import latencies

    records: list[LatencyRecord] = []
    for start in range(0, len(chosen), _TOGETHER):
        done = f"{start} of {len(chosen)} networks measured: "
        some = chosen[start : start + _TOGETHER]
        found = latencies(some, named, task, ledger, flagged=True, progress=beginning(done, progress))
        records += [one.record for one in found]
    return records


def _draw(document: dict[str, Any], space: str, budget: list[str] | None) -> None:
    from nas.cli.output import draw
    from nas.cli.tables import table

    where = f"{space} within {' and '.join(budget)}" if budget else space
    made = table(
        f"Predicted latency on {document['profile']}, {where}: {document['n']} networks, each held out of the fit",
        "predictor", ">Spearman", ">within 5 %", ">within 10 %", ">mean error", ">new families",
    )  # fmt: skip
    rows = {name: document[name] for name in ("flops", "flops_activations", "block_sum")} | document["models"]
    for name, one in rows.items():
        family = one.get("family_mape")
        made.add_row(
            name,
            "-" if one["spearman"] is None else f"{one['spearman']:.2f}",
            f"{one['within_5']:.0%}",
            f"{one['within_10']:.0%}",
            f"{one['mape']:.1%}",
            "" if family is None else f"{family:.1%}",
            style="bold" if name == document["model"] else "",
        )
    made.caption = (
        f"{document['model']} is used; its 90 % intervals are the prediction -/+ {document['interval']:.1%} and hold "
        f"{document['coverage']:.0%} of the networks. {document['unstable']} records are unstable."
    )
    draw(made)
