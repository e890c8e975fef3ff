"""`nas analyze`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli import completion
from nas.cli.options import Json, Storage, StudyNames
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.report.ablation import Step
    from nas.report.analysis import Analysis
    from nas.report.populations import Contest


def run(
    studies: StudyNames = None,
    storage: Storage = DEFAULT_STORAGE,
    by: Annotated[
        str | None,
        typer.Option(
            help="Compare the networks with one value of a decision to those with another, at equal cost: its name or "
            "the end of it, as in kernel, or kernel=3,7."
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the distributions of errors: .html or .png.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="ARCH",
            autocompletion=completion.architectures,
            help="The way from this network to the best, a decision at a time, each priced.",
        ),
    ] = None,
    rung: Annotated[int, typer.Option("--rung", min=0, help="Whose accuracies; every candidate has those of 0.")] = 0,
    everything: Annotated[
        bool, typer.Option("--all", help="Every value and every decision, also where nothing can be told.")
    ] = False,
    optuna: Annotated[
        bool,
        typer.Option("--optuna", help="Optuna's importances beside ours: PED-ANOVA and fANOVA; some seconds more."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what a search has taught: what each decision is worth in accuracy at equal cost, and how sure that is.

    Effects come with 95% intervals that hold for the whole table together. Where a sampler chose what was trained, the
    random control decides whether anything can be told at all. Several searches are compared as populations, too.
    """
    from nas.errors import UserError
    from nas.ledger import Ledger
    from nas.records import StudyKind
    from nas.report.analysis import analyse
    from nas.report.chart import require_chart_form
    from nas.report.populations import by_decision, by_study

    if plot is not None:
        require_chart_form(plot)
    with Ledger.read(storage) as ledger:
        names = list(dict.fromkeys(studies or [ledger.latest_study(StudyKind.SEARCH)]))
        if plot is not None and by is None and len(names) < 2:
            raise UserError("--plot draws distributions of errors: add --by DECISION, or name two studies")
        found = [analyse(ledger, name, rung=rung) for name in names]
        contests = by_study(found, ledger) if len(found) > 1 else []
        contests += [one for analysis in found for one in by_decision(analysis, by)] if by is not None else []
        steps = []
        if since is not None:
            from nas.report.ablation import way_to_best  # torch: seconds, and only this needs the space

            steps = [way_to_best(ledger, one, since) for one in found]
    theirs = [_optunas(one) if optuna else {} for one in found]
    if plot is not None:
        _write_plot(plot, contests)
    if as_json:
        from nas.cli.output import print_json

        documents = [one.to_dict() for one in found]
        for document, way in zip(documents, steps, strict=False):
            document["path"] = [step.to_dict() for step in way]
        for document, importances in zip(documents, theirs, strict=True):
            document |= {"optuna": importances} if optuna else {}
        print_json({"studies": documents, "populations": [one.to_dict() for one in contests]})
        return
    for place, one in enumerate(found):
        _draw(one, steps[place] if steps else None, theirs[place], everything=everything)
    _draw_contests(contests)


def _write_plot(path: Path, contests: Sequence[Contest]) -> None:
    from nas.errors import UserError
    from nas.report.chart import write_chart
    from nas.report.populations import panels

    drawn = panels(contests)
    if not drawn:
        raise UserError(f"nothing to draw: {contests[0].why}")
    write_chart(drawn, path, title="Distribution of errors at equal cost")


def _optunas(analysis: Analysis) -> Mapping[str, Mapping[str, float]]:
    from nas.analysis.effects.importance import FEWEST, at_equal_cost, looked_at
    from nas.errors import UserError
    from nas.search.optuna.importances import optuna_importances

    rows = looked_at(analysis.outcomes)
    if len(rows) < FEWEST:
        raise UserError(f"--optuna: {analysis.study} has {len(rows)} candidates, and importances need {FEWEST}")
    return optuna_importances([row.decisions for row in rows], at_equal_cost(rows, analysis.cost))


def _draw(
    analysis: Analysis,
    steps: Sequence[Step] | None,
    theirs: Mapping[str, Mapping[str, float]],
    *,
    everything: bool,
) -> None:
    from nas.analysis.effects.table import Finding
    from nas.analysis.proxy_health import State
    from nas.cli import analysis_view as view
    from nas.cli.output import draw
    from nas.report.proxy_health import health_sentences

    draw(f"{analysis.study}: " + ". ".join(analysis.sentences()) + ".", "")
    for state, sentence in health_sentences(analysis.health):
        draw(f"proxy: {'cannot tell: ' if state is State.UNKNOWN else ''}{sentence}")
    shown = [one for one in analysis.effects if everything or one.finding is not Finding.CANNOT_TELL]
    if shown:
        draw(view.effects_table(shown, analysis.cost))
    if len(shown) < len(analysis.effects):
        draw(view.unsaid(analysis), "")
    if analysis.importances is not None:
        best = analysis.best_values
        draw(view.importances_table(analysis.importances, best, analysis.cost, theirs, everything=everything))
    draw(view.interactions_table(analysis.interactions), "")
    if steps is not None:
        draw(view.steps_table(steps))
    draw(view.luck_of_the_front(analysis.luck), "")


def _draw_contests(contests: Sequence[Contest]) -> None:
    from nas.cli.analysis_view import contests_table, refusals
    from nas.cli.output import draw

    if any(one.comparison is not None for one in contests):
        draw(contests_table(contests))
    for sentence in refusals(contests):
        draw(sentence)
