"""The schemas take what the readers take, and refuse what people mistype."""

from __future__ import annotations

import copy
import json
import random
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from jsonschema import Draft202012Validator

from nas.architecture.text import to_yaml
from nas.cli.main import main
from nas.report.json_schema import FILES, json_schema
from nas.schema.nodes import read_yaml
from nas.schema.packaged import SPACES, STUDIES, packaged
from nas.space import drawing, load_space
from nas.train import recipe as recipes

sys.path.insert(0, str(Path(__file__).parents[1] / "space"))
from space_texts import space_texts

_RECIPES = Path(recipes.__file__).parent / "recipes"
PACKAGED: dict[str, tuple[Path, Iterable[Path]]] = {
    "space": (packaged(SPACES), packaged(SPACES).glob("*.yaml")),
    "architecture": (packaged(SPACES), (packaged(SPACES) / "presets").rglob("*.yaml")),
    "recipe": (_RECIPES, _RECIPES.glob("*.yaml")),
    "study": (packaged(STUDIES), packaged(STUDIES).glob("*.yaml")),
}
FILES_BY_KIND = [(kind, path) for kind, (_, paths) in PACKAGED.items() for path in sorted(paths)]


@cache
def validator(kind: str) -> Draft202012Validator:
    schema = json_schema(kind)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def problems(kind: str, data: Any) -> list[str]:
    return [f"{error.json_path}: {error.message:.200}" for error in validator(kind).iter_errors(data)]


def contents(path: Path) -> Any:
    return read_yaml(path)[0].plain()


@pytest.mark.slow
def test_every_packaged_file_is_valid() -> None:
    found = {str(path): problems(kind, contents(path)) for kind, path in FILES_BY_KIND}
    assert not {path: told for path, told in found.items() if told}
    assert len(found) > 90


@pytest.mark.slow
@given(space_texts())
def test_random_spaces_are_valid(text: str) -> None:
    assert problems("space", json.loads(text)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("modern", marks=pytest.mark.slow), "tiny"])
def test_random_architectures_are_valid_as_files(name: str) -> None:
    space = load_space(name)
    for seed in range(200 if name == "modern" else 10):
        text = to_yaml(space.build(drawing(random.Random(seed))))
        assert problems("architecture", yaml.safe_load(text)) == [], text


@pytest.mark.parametrize("kind", FILES)
def test_the_shipped_schema_is_up_to_date(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grammar", kind, "--schema"]) == 0
    path = PACKAGED[kind][0] / f"{kind}.schema.json"
    assert path.read_text() == capsys.readouterr().out, f"write it anew: nas grammar {kind} --schema > {path}"


def test_every_packaged_file_names_the_schema_beside_it() -> None:
    for kind, path in FILES_BY_KIND:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        where = first.removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / where).resolve() == (PACKAGED[kind][0] / f"{kind}.schema.json").resolve(), path


@pytest.mark.slow
def test_one_schema_for_any_file() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(contents(packaged(SPACES) / "tiny.yaml"))
    assert schema["$schema"].endswith("2020-12/schema")


def changed(kind: str, file: str, path: list[Any], value: Any) -> Any:
    data = copy.deepcopy(contents(PACKAGED[kind][0] / file))
    here = data
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    return data


BLOCK = ["stages", "block"]
MISTAKES = [
    ("space", "tiny.yaml", ["stagess"], {}),
    ("space", "tiny.yaml", ["task", "resolutoin"], 32),
    ("space", "tiny.yaml", ["stem", "kind"], "patchfy"),
    ("space", "tiny.yaml", ["stem", "patch"], [2, 4]),
    ("space", "tiny.yaml", [*BLOCK, "mixer", "kernel"], 4),
    ("space", "tiny.yaml", [*BLOCK, "mixer", "kernel"], {"choice": [3, 4]}),
    ("space", "tiny.yaml", [*BLOCK, "mixer", "kernel"], {"choices": [3, 5]}),
    ("space", "tiny.yaml", [*BLOCK, "mixer", "kernel"], {"int": [3]}),
    ("space", "tiny.yaml", [*BLOCK, "mixer", "kernel"], {"choice": [3, 5], "at_most": "2 map sizes"}),
    ("space", "tiny.yaml", [*BLOCK, "norm"], {"choice": ["layernorm", "batchnrm"]}),
    ("space", "tiny.yaml", [*BLOCK, "layer_scale"], "1e-6 "),
    ("space", "tiny.yaml", ["stages", "width"], {"base": 16, "ratios": [1, 2, 4]}),
    ("space", "tiny.yaml", ["stages", "width"], {"pattern": [16, 32]}),
    ("space", "tiny.yaml", ["stages", "depth"], {"int": [1, 4], "per": "block"}),
    ("space", "tiny.yaml", ["stages", "depth"], True),
    ("space", "tiny.yaml", ["drop_path"], 1.5),
    ("architecture", "presets/convnext_tiny.yaml", ["stages", "depth"], {"choice": [3, 4]}),
    ("architecture", "presets/convnext_tiny.yaml", [*BLOCK, "ratoi"], 4),
    ("recipe", "proxy_fast.yaml", ["epoch"], 3),
    ("recipe", "proxy_fast.yaml", ["optimizer"], "adam"),
    ("recipe", "proxy_fast.yaml", ["rungs"], ["one"]),
    ("recipe", "proxy_fast.yaml", ["base"], "proxy_quick"),
    ("study", "quickstart.yaml", ["sampler"], "nsga3"),
    ("study", "quickstart.yaml", ["trials"], 0),
    ("study", "quickstart.yaml", ["recipe"], {"epoch": 2}),
    ("study", "roadmap.yaml", ["architectures"], []),
]


@pytest.mark.parametrize(("kind", "file", "path", "value"), MISTAKES)
def test_typical_mistakes_are_refused(kind: str, file: str, path: list[Any], value: Any) -> None:
    assert problems(kind, contents(PACKAGED[kind][0] / file)) == []
    assert problems(kind, changed(kind, file, path, value))


def test_an_unknown_kind_of_file_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grammar", "spaec", "--schema"]) == 2
    assert "did you mean 'space'" in capsys.readouterr().err
