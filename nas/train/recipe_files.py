"""Recipes as YAML files: those that travel with the program, and users' own."""

from __future__ import annotations

from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from nas.errors import UnknownNameError, UserError
from nas.registry import did_you_mean
from nas.schema.models import read_model
from nas.schema.nodes import read_yaml
from nas.train.recipe import Recipe

_FOLDER = Path(__file__).parent / "recipes"


def recipe_names() -> list[str]:
    """The packaged recipes."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def recipe_about(name: str) -> str:
    """The sentence that a packaged recipe's file begins with."""
    lines = (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    comment = " ".join(line.removeprefix("# ") for line in takewhile(lambda line: line.startswith("#"), lines))
    return comment.partition(". ")[0].removesuffix(".") + "."


def load_recipe(reference: str | Path) -> Recipe:
    """A recipe by the name of a packaged one, or from a file (which may name a packaged one as its `base`).

    Raises:
        UnknownNameError: no such recipe.
        SchemaError: all problems of the file.
    """
    path = Path(reference)
    if path.suffix not in (".yaml", ".yml"):
        return Recipe.model_validate(packaged_recipe(str(reference)))
    root, problems = read_yaml(path)
    recipe = read_model(Recipe, root, problems)
    problems.check()
    if recipe is None:
        raise UserError(f"{path}: cannot be read")
    return recipe


def packaged_recipe(name: str) -> dict[str, Any]:
    """The fields that a packaged recipe sets; raises UnknownNameError."""
    if name not in recipe_names():
        raise UnknownNameError(
            f"unknown recipe {name!r}; {did_you_mean(str(name), recipe_names())} (a file ends in .yaml)"
        )
    return dict(_fields(name))


@lru_cache
def _fields(name: str) -> dict[str, Any]:
    root, problems = read_yaml(_FOLDER / f"{name}.yaml")
    problems.check()
    fields: dict[str, Any] = root.plain()
    return fields
