"""`nas pareto`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import Json, Storage, StudyName, at, with_parts
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.analysis.front import FrontRow
    from nas.cost import Budget


def run(
    study: StudyName = None,
    everything: Annotated[bool, typer.Option("--all", help="Every trained candidate, not only the front.")] = False,
    storage: Storage = DEFAULT_STORAGE,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values on stdout.")] = False,
    as_json: Json = False,
) -> None:
    """Show the Pareto front of a study: validation accuracy against the costs it was searched for, such as FLOPs."""
    from nas.analysis.front import evaluated_rows, front_rows
    from nas.cost import Budget
    from nas.errors import UserError
    from nas.ledger import Ledger
    from nas.records import StudyKind

    if as_csv and as_json:
        raise UserError("--csv and --json are two answers to one question; give one of them")
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
    if as_json:
        from nas.cli.output import print_json

        print_json([row.to_dict() for row in shown])
    elif as_csv:
        _print_csv(shown)
    else:
        draw_front(name, budget, rows, best, shown, storage)


def searched_costs(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """The costs that a study trades accuracy against."""
    return tuple(name for name in definition.get("objectives", "accuracy,flops").split(",") if name != "accuracy")


def _print_csv(rows: list[FrontRow]) -> None:
    import csv
    import sys
    from dataclasses import fields

    from nas.analysis.front import FrontRow
    from nas.cost.budget import latency_of

    profiles = sorted({profile for row in rows for profile in row.latency})
    names = [field.name for field in fields(FrontRow) if field.name != "latency"]
    writer = csv.DictWriter(sys.stdout, [*names, *map(latency_of, profiles)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        flat = {name: value for name, value in row.to_dict().items() if name != "latency"}
        writer.writerow(flat | {latency_of(profile): ms for profile, ms in row.latency.items()})


def draw_front(
    name: str, budget: Budget, rows: list[FrontRow], best: list[FrontRow], shown: list[FrontRow], storage: str
) -> None:
    """Draw the front of a study: table, scatter plot, what to do next."""
    from nas.cli.output import draw
    from nas.cli.tables import front_table, scatter

    if not rows:
        draw(f"{name}: no candidate has an accuracy yet")
        return
    kind = "candidates" if len(shown) > len(best) else "Pareto front"
    draw(front_table(shown, f"{name}: {kind} within {budget}", show_share=bool(budget.bounds)))
    same = [row for row in rows if row.rung == best[0].rung]
    if len(same) > 1:
        draw("", scatter(same, best))
    if len(same) < len(rows):
        draw("", f"{len(rows) - len(same)} of {len(rows)} candidates stopped at a lower rung (`nas pareto --all`)")
    take = f"nas export {name} --best -o winner/{with_parts()}{at(storage)}"
    draw("", f"take the best: {take}", f"look at one: nas show {name}:{best[-1].id}{with_parts()}{at(storage)}")
