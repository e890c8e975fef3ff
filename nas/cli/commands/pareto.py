"""`nas pareto`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Device, Json, Storage, StudyNames, Workers, proposed
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.analysis.front import FrontRow
    from nas.cli.front_view import Shown
    from nas.ledger import Ledger
    from nas.report.front_plot import FrontPlot, PresetPoint
    from nas.report.fronts import StudyFront


def run(
    studies: StudyNames = None,
    everything: Annotated[bool, typer.Option("--all", help="Every trained candidate, not only the front.")] = False,
    storage: Storage = DEFAULT_STORAGE,
    x_metric: Annotated[
        str | None, typer.Option("--x", help="Metric across in the plot: flops (the default), latency@PROFILE, ...")
    ] = None,
    y_metric: Annotated[
        str | None, typer.Option("--y", help="Metric upwards in the plot: accuracy (the default), params, ...")
    ] = None,
    top: Annotated[
        int | None, typer.Option("--top", min=1, help="List only so many of each study, the most accurate.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            help="Draw into a file: .html (decisions and a drawing at the pointer), .png or .svg (extra plots).",
        ),
    ] = None,
    presets: Annotated[
        bool,
        typer.Option(
            "--presets",
            help="Lay published networks over the plot, priced for the study's task; their accuracy where the ledger "
            "has it by the same recipe and data.",
        ),
    ] = False,
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
    """Show the Pareto front of a study: validation accuracy against the costs it was searched for, such as FLOPs.

    Several studies stand in one table and one plot, each by its letter. What is on the front of all of them together is
    marked where their accuracies may be compared: same data, recipe and rung. Those without a front are left out, and
    it is said why.
    """
    from nas.cli.front_view import Shown
    from nas.errors import UserError
    from nas.ledger import Ledger
    from nas.report.front_plot import require_front_form
    from nas.report.fronts import letters

    if as_csv and as_json:
        raise UserError("--csv and --json are two answers to one question; give one of them")
    if (as_csv or as_json) and plot is None and (x_metric or y_metric or presets):
        raise UserError("--x, --y and --presets are of a plot: add --plot FILE, or leave out --json and --csv")
    if confirm is None and (workers is not None or device != "auto"):
        raise UserError("--workers and --device are of the trainings of --confirm; add --confirm N")
    if confirm is not None and (everything or as_csv or top is not None):
        raise UserError("--confirm is of the whole front: leave out --all, --top and --csv")
    if plot is not None:
        require_front_form(plot)
    axes = (x_metric or "flops", y_metric or "accuracy")
    overlaid: list[PresetPoint] = []
    with Ledger.read(storage) as ledger:
        names = list(dict.fromkeys(studies or [_latest(ledger)]))
        if confirm is not None and len(names) > 1:
            raise UserError("--confirm trains the front of one study; name one")
        fronts = _fronts(ledger, names)
        letters(fronts)
        if presets:
            from nas.report.preset_points import preset_points  # torch: seconds, and only this needs the networks

            overlaid = preset_points(ledger, fronts)
        drawings = _drawings(ledger, fronts, plot)
    drawn = _plotted(fronts, axes, overlaid, drawings)
    shown = [Shown(one.name, row) for one in fronts for row in _chosen(one, top, everything=everything)]
    if plot is not None:
        _write_plot(drawn, fronts, plot)
    if confirm is not None:
        _confirm(fronts[0], confirm, storage, workers=workers, device=device, as_json=as_json)
    elif as_json:
        from nas.cli.output import print_json

        print_json([{**one.row.to_dict(), "study": one.study} for one in shown])
    elif as_csv:
        _print_csv(shown)
    else:
        draw_fronts(fronts, shown, drawn, storage)


def _latest(ledger: Ledger) -> str:
    """The most recently active search; says which newer studies are none."""
    from nas.cli.output import notice
    from nas.records import StudyKind

    name = ledger.latest_study(StudyKind.SEARCH)
    for study in ledger.studies():
        if study.name == name:
            break
        notice(f"left out: {study.name} is newer, but {study.purpose}")
    return name


def _fronts(ledger: Ledger, names: Sequence[str]) -> list[StudyFront]:
    """The fronts of some studies; of several, those without one are left out, and it is said why.

    Raises:
        StudyError: there is no such study, or none has a front.
        UserError: the only study is of a kind that has none.
    """
    from nas.cli.output import notice
    from nas.errors import LedgerError, StudyError, UserError
    from nas.report.fronts import read_front

    if len(names) == 1:
        return [read_front(ledger, names[0])]
    found, left_out = [], []
    for name in names:
        try:
            front = read_front(ledger, name)
        except (StudyError, LedgerError):
            raise
        except UserError as error:
            left_out.append(str(error))
            continue
        if front.best:
            found.append(front)
        else:
            left_out.append(f"{name}: no candidate has an accuracy yet")
    if not found:
        raise StudyError("; ".join(["none of these studies has a front", *left_out]))
    for sentence in left_out:
        notice(f"left out: {sentence}")
    return found


def _chosen(front: StudyFront, top: int | None, *, everything: bool) -> Sequence[FrontRow]:
    from nas.analysis.front import most_accurate

    rows = front.rows if everything else front.best
    return rows if top is None else most_accurate(rows, top)


def _plotted(
    fronts: Sequence[StudyFront],
    axes: tuple[str, str],
    presets: Sequence[PresetPoint] = (),
    drawings: Mapping[str, str] | None = None,
) -> FrontPlot | None:
    """What there is to plot; None before any candidate has an accuracy."""
    from nas.report.front_plot import FrontPlot

    some = [one for one in fronts if one.best]
    if not some:
        return None
    title = f"{some[0].name}: within {some[0].budget}" if len(some) == 1 else ", ".join(one.name for one in some)
    return FrontPlot(
        title=title, x_metric=axes[0], y_metric=axes[1], fronts=some, presets=presets, drawings=drawings or {}
    )


def _drawings(ledger: Ledger, fronts: Sequence[StudyFront], path: Path | None) -> Mapping[str, str]:
    """Of the candidates, for a page; an image cannot be pointed at."""
    from nas.report.images import PAGE

    if path is None or path.suffix != PAGE:
        return {}
    from nas.report.front_drawings import front_drawings  # torch: seconds, and only this needs the networks

    return front_drawings(ledger, fronts)


def _write_plot(plot: FrontPlot | None, fronts: Sequence[StudyFront], path: Path) -> None:
    from nas.cli.output import notice
    from nas.errors import UserError
    from nas.report.front_plot import write_front
    from nas.report.fronts import differing
    from nas.units import plural

    if plot is None:
        raise UserError("nothing to plot: no candidate has an accuracy yet")
    write_front(plot, path)
    front = sum(len(one.best) for one in fronts)
    left_out = sum(len(one.rows) for one in fronts) - len(plot.rows)
    lower = f" ({left_out} of lower rungs left out: accuracies of different rungs are not compared)" if left_out else ""
    notice(f"{path}: {plural(len(plot.rows), 'candidate')}, {front} on the front{lower}")
    if plot.y_metric == "accuracy" and (unlike := differing(plot.fronts)):
        notice(f"{path}: accuracies must not be compared across these studies, which differ in {' and '.join(unlike)}")


def _confirm(front: StudyFront, seeds: int, storage: str, *, workers: int | None, device: str, as_json: bool) -> None:
    from nas.analysis.confirmation import shrinkage
    from nas.cli.analysis_view import confirmed_table
    from nas.cli.output import draw, print_json
    from nas.cli.retraining import confirmed

    rows = confirmed(front.name, front.best, seeds, storage, workers=workers, device=device)
    if as_json:
        print_json([{**row.to_dict(), "confirmed": one.to_dict()} for row, one in zip(front.best, rows, strict=True)])
        return
    draw(confirmed_table(rows))
    lost = shrinkage(rows)
    if lost is not None:
        remaining = sum(one.remains for one in rows)
        luck = f"{100 * lost:.1f} points were luck" if lost >= 0 else f"they came out {-100 * lost:.1f} points higher"
        draw(f"{remaining} of {len(rows)} remain on the front; on average {luck}.")


def _print_csv(shown: Sequence[Shown]) -> None:
    import csv
    import sys
    from dataclasses import fields

    from nas.analysis.front import FrontRow
    from nas.cost.budget import latency_of

    nested = ("latency", "decisions")
    profiles = sorted({profile for one in shown for profile in one.row.latency})
    decisions = dict.fromkeys(decision for one in shown for decision in one.row.decisions)
    names = [field.name for field in fields(FrontRow) if field.name not in nested]
    header = [*names, "study", *map(latency_of, profiles), *map(_column, decisions)]
    writer = csv.DictWriter(sys.stdout, header, lineterminator="\n")
    writer.writeheader()
    for study, row in shown:
        flat = {name: value for name, value in row.to_dict().items() if name not in nested}
        times = {latency_of(profile): ms for profile, ms in row.latency.items()}
        writer.writerow(
            flat | {"study": study} | times | {_column(name): value for name, value in row.decisions.items()}
        )


def _column(decision: str) -> str:
    """As in `to_pandas`, so that a decision called `flops` is not a cost."""
    return f"decisions.{decision}"


def draw_fronts(fronts: Sequence[StudyFront], shown: Sequence[Shown], plot: FrontPlot | None, storage: str) -> None:
    """Draw the fronts of one study or several: table, scatter plot of two metrics, what to do next."""
    from nas.cli.front_view import front_table, legend, preset_lines, scatter
    from nas.cli.output import console, draw

    if plot is None:
        for one in fronts:
            draw(f"{one.name}: no candidate has an accuracy yet")
        return
    if len(fronts) > 1:
        draw(*legend(fronts), "")
    on_fronts = {(one.name, row.id) for one in fronts for row in one.best}
    is_front = {(study, row.id) for study, row in shown} <= on_fronts
    if len(fronts) == 1:
        title = f"{fronts[0].name}: {'Pareto front' if is_front else 'candidates'} within {fronts[0].budget}"
    else:
        title = "Pareto fronts" if is_front else "Candidates"
    draw(front_table(fronts, shown, title))
    if len(plot.rows) > 1:
        draw("", scatter(plot, columns=console().width))
    for line in preset_lines(plot):
        draw("", line)
    every = sum(len(one.rows) for one in fronts)
    if len(plot.rows) < every:
        names = [one.name for one in fronts]
        showing = proposed("pareto", "--all", arguments=names, storage=storage)
        draw("", f"{every - len(plot.rows)} of {every} candidates stopped at a lower rung (`{showing}`)")
    if len(fronts) == 1:
        draw("", *_next_steps(fronts[0], storage))


def _next_steps(front: StudyFront, storage: str) -> list[str]:
    """What one may want to do now; what trains by somebody's own function has no recipe, so nothing to export."""
    hints = [f"look at one: {proposed('show', arguments=[f'{front.name}:{front.best[-1].id}'], storage=storage)}"]
    if front.has_recipe:
        hints.insert(
            0,
            f"take the best: {proposed('export', '--best', '-o', 'winner/', arguments=[front.name], storage=storage)}",
        )
    return hints


def draw_front(front: StudyFront, storage: str) -> None:
    """Draw the front of one study."""
    from nas.cli.front_view import Shown

    draw_fronts(
        [front], [Shown(front.name, row) for row in front.best], _plotted([front], ("flops", "accuracy")), storage
    )
