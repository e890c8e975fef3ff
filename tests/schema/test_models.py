from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, Field

from nas.schema.models import read_model
from nas.schema.nodes import parse_yaml
from nas.schema.problems import SchemaError


class Recipe(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(8, ge=1)
    mixup: float = 0.0


class Study(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    space: str
    budget: list[str] = []
    recipe: Recipe = Recipe()
    fallback: Recipe | None = None
    rounds: list[Recipe] = []


def read(text: str) -> Study:
    root, problems = parse_yaml(text, "x.yaml")
    return read_model(Study, root, problems)


def test_model_is_read() -> None:
    assert read("space: tiny\nrecipe: {epochs: 3}\n") == Study(space="tiny", recipe=Recipe(epochs=3))


def test_every_finding_is_put_at_its_place() -> None:
    with pytest.raises(SchemaError) as caught:
        read("budgt: [x]\nbudget: [4, 5GFLOPs]\nrecipe:\n  epochs: 0\n  mixpu: 1\n")
    shown = [f"{one.mark.line}:{one.mark.column} {one.message}" for one in caught.value.problems]
    assert shown == [
        "1:1 the key 'space' is missing",
        "1:1 unknown key 'budgt'; did you mean 'budget'?",
        "2:10 budget.0: input should be a valid string",
        "4:11 recipe.epochs: input should be greater than or equal to 1",
        "5:3 unknown key 'mixpu'; did you mean 'mixup'?",
    ]


def test_unknown_key_of_an_optional_model_is_named_too() -> None:
    with pytest.raises(SchemaError, match="unknown key 'epoch'; did you mean 'epochs'"):
        read("space: tiny\nfallback: {epoch: 3}\n")


def test_unknown_key_in_a_list_of_models_is_named_too() -> None:
    with pytest.raises(SchemaError, match="unknown key 'epoch'; did you mean 'epochs'"):
        read("space: tiny\nrounds: [{epochs: 3}, {epoch: 3}]\n")


@pytest.mark.parametrize("text", ["just a word", "- a\n- b\n", "3"])
def test_file_that_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(SchemaError) as caught:
        read(text)
    message = "x.yaml:1:1: the file must be a mapping with keys such as 'space', 'budget', 'recipe'\n"
    assert str(caught.value).startswith(message)


def test_key_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(SchemaError, match="2:9: recipe must be a mapping with keys such as 'epochs', 'mixup'"):
        read("space: tiny\nrecipe: 3\n")
