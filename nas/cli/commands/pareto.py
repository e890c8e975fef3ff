"""`nas pareto`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Device, Json, Storage, StudyName, Workers, proposed
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.analysis.front import FrontRow
    from nas.cost import Budget


def run(
    study: StudyName = None,
    everything: Annotated[bool, typer.Option("--all", help="Every trained candidate, not only the front.")] = False,
    storage: Storage = DEFAULT_STORAGE,
    x_metric: Annotated[
        str | None, typer.Option("--x", help="Metric across in the plot: flops (the default), latency@PROFILE, ...")
    ] = None,
    y_metric: Annotated[
        str | None, typer.Option("--y", help="Metric upwards in the plot: accuracy (the default), params, ...")
    ] = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="List only so many, the most accurate.")] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Draw into a file: .html (decisions at the pointer), .png or .svg (extra plots)."),
    ] = None,
    confirm: Annotated[
        int | None,
        typer.Option(
            "--confirm",
            metavar="N",
            min=1,
            help="Train the front again with N other seeds, and show what remains: it was chosen by the accuracies "
            "shown, so it is the luckiest, too.",
        ),
    ] = None,
    workers: Workers = None,
    device: Device = "auto",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values on stdout.")] = False,
    as_json: Json = False,
) -> None:
    """Show the Pareto front of a study: validation accuracy against the costs it was searched for, such as FLOPs."""
    from nas.analysis.front import evaluated_rows, front_rows, most_accurate, searched_costs
    from nas.cost import Budget
    from nas.errors import UserError
    from nas.ledger import Ledger
    from nas.records import StudyKind

    if as_csv and as_json:
        raise UserError("--csv and --json are two answers to one question; give one of them")
    if (as_csv or as_json) and plot is None and (x_metric or y_metric):
        raise UserError("--x and --y are the axes of a plot: add --plot FILE, or leave out --json and --csv")
    if confirm is None and (workers is not None or device != "auto"):
        raise UserError("--workers and --device are of the trainings of --confirm; add --confirm N")
    if confirm is not None and (everything or as_csv or top is not None):
        raise UserError("--confirm is of the whole front: leave out --all, --top and --csv")
    axes = (x_metric or "flops", y_metric or "accuracy")
    with Ledger.read(storage) as ledger:
        name = study or ledger.latest_study(StudyKind.SEARCH)
        record = ledger.study(name)
        definition = record.definition
        if record.kind in (StudyKind.TRUST, StudyKind.REFINE):
            of = f" {definition['refines']}" if record.kind is StudyKind.REFINE else ""
            raise UserError(
                f"{name}: this study {record.kind.purpose} and has no front; `nas {record.kind}{of}` shows it"
            )
        budget = Budget.parse(definition["budget"])
        rows = evaluated_rows(ledger.trials(name), budget)
    best = front_rows(rows, searched_costs(definition))
    shown = rows if everything else best
    if top is not None:
        shown = most_accurate(shown, top)
    if plot is not None:
        _write_plot(plot, f"{name}: within {budget}", axes, rows, best)
    if confirm is not None:
        _confirm(name, best, confirm, storage, workers=workers, device=device, as_json=as_json)
    elif as_json:
        from nas.cli.output import print_json

        print_json([row.to_dict() for row in shown])
    elif as_csv:
        _print_csv(shown)
    else:
        draw_front(name, budget, rows, best, shown, storage, axes, has_recipe="evaluate" not in definition)


def _write_plot(
    path: Path, title: str, axes: tuple[str, str], rows: Sequence[FrontRow], best: Sequence[FrontRow]
) -> None:
    from nas.analysis.front import require_metric
    from nas.cli.output import notice
    from nas.errors import UserError
    from nas.report.front_plot import FrontPlot, write_front
    from nas.units import plural

    if not best:
        raise UserError("nothing to plot: no candidate has an accuracy yet")
    same = [row for row in rows if row.rung == best[0].rung]
    for metric in axes:
        require_metric(metric, same)
    write_front(FrontPlot(title=title, x_metric=axes[0], y_metric=axes[1], rows=same, best=best), path)
    left_out = len(rows) - len(same)
    lower = f" ({left_out} of lower rungs left out: accuracies of different rungs are not compared)" if left_out else ""
    notice(f"{path}: {plural(len(same), 'candidate')}, {len(best)} on the front{lower}")


def _confirm(
    name: str, best: Sequence[FrontRow], seeds: int, storage: str, *, workers: int | None, device: str, as_json: bool
) -> None:
    from nas.analysis.confirmation import shrinkage
    from nas.cli.analysis_view import confirmed_table
    from nas.cli.output import draw, print_json
    from nas.cli.retraining import confirmed

    rows = confirmed(name, best, seeds, storage, workers=workers, device=device)
    if as_json:
        print_json([{**row.to_dict(), "confirmed": one.to_dict()} for row, one in zip(best, rows, strict=True)])
        return
    draw(confirmed_table(rows))
    lost = shrinkage(rows)
    if lost is not None:
        remaining = sum(one.remains for one in rows)
        draw(f"{remaining} of {len(rows)} remain on the front; on average {100 * lost:.1f} points were luck.")


def _print_csv(rows: list[FrontRow]) -> None:
    import csv
    import sys
    from dataclasses import fields

    from nas.analysis.front import FrontRow
    from nas.cost.budget import latency_of

    nested = ("latency", "decisions")
    profiles = sorted({profile for row in rows for profile in row.latency})
    decisions = dict.fromkeys(decision for row in rows for decision in row.decisions)
    names = [field.name for field in fields(FrontRow) if field.name not in nested]
    header = [*names, *map(latency_of, profiles), *map(_column, decisions)]
    writer = csv.DictWriter(sys.stdout, header, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        flat = {name: value for name, value in row.to_dict().items() if name not in nested}
        times = {latency_of(profile): ms for profile, ms in row.latency.items()}
        writer.writerow(flat | times | {_column(name): value for name, value in row.decisions.items()})


def _column(decision: str) -> str:
    """As in `to_pandas`, so that a decision called `flops` is not a cost."""
    return f"decisions.{decision}"


def draw_front(
    name: str,
    budget: Budget,
    rows: list[FrontRow],
    best: list[FrontRow],
    shown: list[FrontRow],
    storage: str,
    axes: tuple[str, str] = ("flops", "accuracy"),
    *,
    has_recipe: bool = True,
) -> None:
    """Draw the front of a study: table, scatter plot of two metrics, what to do next.

    One that trains by somebody's own function has no recipe, so there is nothing of it to export.
    """
    from nas.analysis.front import require_metric
    from nas.cli.output import console, draw
    from nas.cli.tables import front_table, scatter

    if not rows:
        draw(f"{name}: no candidate has an accuracy yet")
        return
    same = [row for row in rows if row.rung == best[0].rung]
    for metric in axes:
        require_metric(metric, same)
    kind = "Pareto front" if {row.id for row in shown} <= {row.id for row in best} else "candidates"
    draw(front_table(shown, f"{name}: {kind} within {budget}", show_share=bool(budget.bounds)))
    if len(same) > 1:
        draw("", scatter(same, best, *axes, columns=console().width))
    if len(same) < len(rows):
        draw("", f"{len(rows) - len(same)} of {len(rows)} candidates stopped at a lower rung (`nas pareto --all`)")
    hints = [f"look at one: {proposed('show', f'{name}:{best[-1].id}', storage=storage)}"]
    if has_recipe:
        hints.insert(0, f"take the best: {proposed('export', name, '--best', '-o', 'winner/', storage=storage)}")
    draw("", *hints)
