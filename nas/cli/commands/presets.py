"""`nas presets`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Json

if TYPE_CHECKING:
    from rich.table import Table

    from nas.schema.published import PresetFamily


def run(
    family: Annotated[
        str | None,
        typer.Option(
            "--family",
            "-f",
            help="Only this family, such as regnet; 'all' for every one. With --json: rows with source, published "
            "accuracy, parameters and FLOPs; without --family, --json lists the names alone.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the published networks that can be named wherever an architecture is asked for, family by family."""
    from nas.schema.packaged import preset_names
    from nas.schema.published import ALL, preset_families

    if as_json and family is None:
        from nas.cli.output import print_json

        print_json(preset_names())
        return
    families = preset_families(family or ALL)
    if as_json:
        from dataclasses import asdict

        from nas.cli.output import print_json

        about = {
            one.key: {"paper": one.paper, "code": one.code, "accuracy": one.accuracy, "drop_path": one.drop_path}
            for one in families
        }
        print_json([{**asdict(row), "source": about[one.key]} for one in families for row in one.members])
        return
    from nas.cli.output import draw, strong

    for one in families:
        code = "" if one.code is None else f"; {one.code}"
        rates = "" if one.drop_path is None else f"\ndrop path: {one.drop_path}"
        draw(strong(one.title) + f" ({one.key}): {one.paper}{code}", _table(one), f"top-1: {one.accuracy}{rates}\n")
    draw(
        "params and FLOPs (multiply-adds, 224x224) of the deployed form; top-1 on ImageNet-1k as published; drop path: "
        "the rate at the last block, by the code named above if nothing else is, which recipes with `drop_path: null` "
        "train with; -: none"
    )


def _table(family: PresetFamily) -> Table:
    from nas.cli.tables import table
    from nas.units import format_count

    shown = table("", "preset", ">params", ">FLOPs", ">top-1 (%)", ">drop path")
    for row in family.members:
        at = "" if row.at in (None, 224) else f" at {row.at}"
        top1 = "-" if row.top1 is None else f"{row.top1:.1f}{at}"
        rate = f"{row.drop_path:g}" if row.drop_path else "-"
        shown.add_row(row.name, format_count(row.params), format_count(row.flops), top1, rate)
    shown.title = None
    return shown
