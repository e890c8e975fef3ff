"""`nas recipes`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nas.cli import completion
from nas.cli.options import Json


def run(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="[RECIPE]",
            autocompletion=completion.recipes,
            help="A packaged recipe or a recipe file; default: list them.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the packaged training recipes, or show every field of one, with what it means, and where it differs."""
    from nas.train.recipe import load_recipe, recipe_about, recipe_names, recipe_words

    if recipe is None:
        _list({name: recipe_about(name) for name in recipe_names()}, as_json=as_json)
        return
    found = load_recipe(recipe)
    fields = found.model_dump(mode="json")
    if as_json:
        from nas.cli.output import print_json

        print_json({"id": found.id, "about": recipe_words(recipe), **fields})
        return
    from nas.cli.output import draw, strong
    from nas.cli.tables import table

    shown = table(f"{recipe} ({found.id})", "field", "value", "meaning")
    shown.columns[-1].no_wrap = False
    changed = found.to_dict()
    for name, value in fields.items():
        style = "bold" if name in changed else ""
        meaning = type(found).model_fields[name].description or ""
        shown.add_row(strong(name, style), strong(_text(value), style), meaning)
    draw(shown, *filter(None, [recipe_words(recipe)]))


def _list(abouts: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        from nas.cli.output import print_json

        print_json([{"name": name, "about": about} for name, about in abouts.items()])
        return
    from nas.cli.output import draw
    from nas.cli.tables import table

    shown = table("Packaged recipes (--recipe NAME)", "name", "about")
    shown.columns[-1].no_wrap = False
    for name, about in abouts.items():
        shown.add_row(name, about)
    draw(shown, "Your own: a YAML file such as {base: convnext_300e, epochs: 600}; --recipe mine.yaml")


def _text(value: Any) -> str:
    """As one would write it in the file."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_text(one)}" for name, one in value.items() if one is not None) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
