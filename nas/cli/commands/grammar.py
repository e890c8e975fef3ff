"""`nas grammar`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import Json
from nas.errors import UserError

if TYPE_CHECKING:
    from nas.report.grammar import FieldRow, PartRow


def run(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="leaf, stage, stem, block, mixer, norm, activation, gate, ffn, downsample, head, sampler, score, "
            "data, recipe, ...; default: all.",
            show_default=False,
        ),
    ] = None,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help="A JSON Schema for editors instead: of space, architecture, recipe or study files, or of any.",
        ),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Build the parts of plug-ins instead and compare: price with count, sizes, starts and gradients.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Print what spaces and architectures can say: every part with its fields, rules, defaults and paper.

    In a YAML file, '# yaml-language-server: $schema=FILE' makes an editor complete and check by a schema.
    """
    if schema and check:
        raise UserError("--schema and --check are two things; ask for one of them")
    if check:
        _check(kind, as_json=as_json)
        return
    if schema:
        from nas.cli.output import print_json
        from nas.report.json_schema import json_schema

        print_json(json_schema(kind))
        return
    from nas.report.grammar import grammar

    rows = grammar(kind)
    if as_json:
        from nas.cli.output import print_json

        print_json([row.to_dict() for row in rows])
        return
    _draw(rows)


def _check(kind: str | None, *, as_json: bool) -> None:
    """Exit code 1 where a part does not conform."""
    from nas.architecture.conformance import plugin_kinds, problems

    parts = [(family, name) for family, name in plugin_kinds() if kind in (None, family)]
    if not parts:
        raise UserError("--check looks at the parts of plug-ins, and there are none: add --plugin FILE|MODULE")
    found = [{"kind": family, "name": name, "problems": problems(family, name)} for family, name in parts]
    if as_json:
        from nas.cli.output import print_json

        print_json(found)
    else:
        from nas.cli.output import draw

        for one in found:
            told = [str(problem) for problem in one["problems"]]
            draw("\n  ".join([f"{one['kind']} {one['name']}: {'does not conform' if told else 'conforms'}", *told]))
    if any(one["problems"] for one in found):
        raise typer.Exit(1)


def _draw(rows: list[PartRow]) -> None:
    from nas.cli.output import console, strong

    out = console()
    for number, row in enumerate(rows):
        if number == 0 or rows[number - 1].kind != row.kind:
            out.print(*([""] if number else []), strong(row.kind, "bold underline"), sep="\n")
        out.print("  ", strong(row.name), "  ", sep="", end="")
        origin = f" ({row.reference})" if row.reference else f" [{row.plugin}]" if row.plugin else ""
        out.print(row.about + origin, soft_wrap=True)
        for field in row.fields:
            out.print(f"      {_line(field)}", soft_wrap=True, style="dim")


def _line(field: FieldRow) -> str:
    """`kernel = 7: a whole number; must be odd to keep the resolution`."""
    from nas.schema.fields import shown

    start = f"{field.name} (required)" if field.required else f"{field.name} = {shown(_plain(field.default))}"
    return f"{start}: {'; '.join([field.takes, *field.rules])}"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
