"""`nas trust`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import (
    Budgets,
    Checkpoints,
    Classes,
    Data,
    Json,
    MarkdownFile,
    Metrics,
    Resolution,
    Seed,
    Space,
    Storage,
)
from nas.cli.workers import WorkerOptions
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.executors.settings import ExecutorSettings
    from nas.report.metrics import Place
    from nas.report.trust import TrustReport
    from nas.search.sweeps.trust import TrustPlan

_PROXY, _REFERENCE = "proxy_fast", "proxy_faithful"


def run(
    space: Space,
    budget: Budgets = None,
    data: Data = None,
    recipe: Annotated[
        str, typer.Option("--recipe", help="The proxy to judge, rung by rung: a recipe's name or file.")
    ] = _PROXY,
    reference: Annotated[
        str, typer.Option("--reference", help="The longer recipe whose end it is judged by: a name or file.")
    ] = _REFERENCE,
    architectures: Annotated[
        int, typer.Option("--architectures", "-n", min=4, help="How many to draw; a later run may ask for more.")
    ] = 24,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Trainings of each by either recipe; a later run may ask for more.")
    ] = 3,
    seed: Seed = 0,
    study: Annotated[
        str | None, typer.Option("--study", help="Name for the study; default: by space and budget.")
    ] = None,
    checkpoints: Checkpoints = None,
    output: MarkdownFile = None,
    resolution: Resolution = None,
    classes: Classes = None,
    *,
    who: WorkerOptions,
    metrics: Metrics = None,
    storage: Storage = DEFAULT_STORAGE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, say what would run, and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Say how far a proxy's ranking can be trusted.

    Draws architectures, trains them at every rung of the proxy and at a reference with several seeds, and compares the
    rankings: with intervals, with the noise of the reference itself, with counting parameters and FLOPs, and with
    zero-cost scores. Run it again after an interruption and it goes on.
    """
    from nas.api.trust_study import require_aside, trust_plan
    from nas.cli.live import StepDisplay
    from nas.report.metrics import parse_place
    from nas.space import load_space

    page = None if metrics is None else parse_place(metrics)
    settings = who.settings()
    found = load_space(space)
    with StepDisplay("reading the images") as display:
        plan = trust_plan(
            found,
            budget,
            name=study,
            data=data or "digits",
            recipe=recipe,
            reference=reference,
            architectures=architectures,
            seeds=seeds,
            seed=seed,
            resolution=resolution,
            classes=classes,
            progress=display.count,
        )
    _announce(plan, settings, storage)
    if dry_run:
        _say_what_would_run(plan, settings.workers_for(plan.sweep().width), as_json=as_json)
        return
    aside = require_aside(checkpoints, storage, plan.name)
    _show(_report(plan, storage, aside, settings, page), output, as_json=as_json)


def _announce(plan: TrustPlan, settings: ExecutorSettings, storage: str) -> None:
    from nas.cli.output import aside, strong
    from nas.ledger import redacted
    from nas.report.trust_text import last_words, rung_words
    from nas.units import plural

    trainings = len(plan.architectures) * plan.seeds
    aside().print(
        strong(f"Study {plan.name}") + f" in {redacted(storage)}\n"
        f"  space      {plan.space.name} within {plan.budget}, {plural(len(plan.architectures), 'architecture')}\n"
        f"  proxy      {rung_words(plan.proxy)}\n"
        f"  reference  {last_words(plan.reference)}\n"
        f"  trainings  {trainings} by each recipe on {plan.data}, {settings.describe(plan.sweep().width)}",
        soft_wrap=True,
    )


def _say_what_would_run(plan: TrustPlan, workers: int | None, *, as_json: bool) -> None:
    if not as_json:
        return  # it is said already
    from nas.cli.output import print_json

    print_json(
        {
            "study": plan.name,
            "architectures": [one.id for one in plan.architectures],
            "seeds": plan.seeds,
            "rungs": len(plan.proxy.fidelities),
            "workers": workers,
            "definition": plan.to_dict(),
        }
    )


def _report(
    plan: TrustPlan, storage: str, checkpoints: str, settings: ExecutorSettings, metrics: Place | None
) -> TrustReport:
    from nas.api.trust_study import judged
    from nas.cli.live import StepDisplay
    from nas.cli.output import notice
    from nas.cli.sweeps import train_sweep
    from nas.ledger import Ledger
    from nas.search.sweeps.sweep_run import SweepRun

    with Ledger.open(storage, notify=notice) as ledger:
        train_sweep(SweepRun(plan.sweep(checkpoints), ledger), plan.to_dict(), settings, metrics=metrics)
        with StepDisplay("zero-cost scores") as display:
            return judged(plan, ledger, settings, watch=display.count)


def _show(report: TrustReport, output: Path | None, *, as_json: bool) -> None:
    from nas.report.trust_text import conditions, markdown, notes, sentences

    if output is not None:
        from nas.data.atomic import new_file

        with new_file(output) as path:
            path.write_text(markdown(report), encoding="utf-8")
    if as_json:
        from nas.cli.output import print_json

        print_json({**report.to_dict(), "sentences": sentences(report)})
        return
    from nas.cli.output import draw, strong
    from nas.cli.tables import trust_table

    draw(trust_table(report), conditions(report), "", *notes(report), "")
    draw(*(strong(sentence) for sentence in sentences(report)))
