"""What one command prints, the next one reads."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given, settings, strategies as st

from nas.architecture import Architecture
from nas.architecture.text import to_yaml
from nas.cli.main import main
from nas.errors import MisfitError, UserError
from nas.export.taking import fresh_bundle
from nas.schema.packaged import space_names
from nas.space import load_space
from nas.space.askers import drawing
from nas.space.references import resolve_architecture, short_names
from nas.task import Task

known_space = cache(load_space)


def drawn(space: str, seed: int) -> Architecture:
    return known_space(space).build(drawing(random.Random(seed)))


@settings(max_examples=30, deadline=None)
@given(space=st.sampled_from(sorted(space_names())), seed=st.integers(0, 10**6))
def test_an_architecture_is_read_back_from_yaml_and_json(
    space: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    try:
        one = drawn(space, seed)
    except MisfitError:
        assume(False)  # a draw that a rule of the space forbids; samplers draw again
    folder = tmp_path_factory.mktemp("flow")
    (folder / "one.yaml").write_text(to_yaml(one))
    (folder / "one.json").write_text(json.dumps(one.to_dict()))
    (folder / "sampled.json").write_text(json.dumps([{"id": one.id, "architecture": one.to_dict()}], indent=2))
    assert {resolve_architecture(str(path)).id for path in folder.iterdir()} == {one.id}


def test_shown_and_sampled_architectures_are_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option, name in (("--yaml", "a.yaml"), ("--json", "a.json")):
        assert main(["show", "convnext_atto", option]) == 0
        (tmp_path / name).write_text(capsys.readouterr().out)
        assert resolve_architecture(str(tmp_path / name)) == resolve_architecture("convnext_atto")
    assert main(["sample", "--space", "tiny", "-n", "3", "-o", str(tmp_path / "drawn"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {path.stem: resolve_architecture(str(path)).id for path in (tmp_path / "drawn").iterdir()} == {
        row["id"]: row["id"] for row in rows
    }


def test_weights_are_priced_for_their_own_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fresh_bundle(drawn("tiny", 0), Task(resolution=32, classes=7))(tmp_path)
    assert main(["show", str(tmp_path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["resolution"], shown["classes"]) == (32, 7)
    assert main(["cost", str(tmp_path), "convnext_atto", "--json"]) == 0
    assert [row["resolution"] for row in json.loads(capsys.readouterr().out)] == [32, 224]
    assert main(["show", str(tmp_path), "--resolution", "64", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["resolution"] == 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"architecture": 7}', "architecture is a mapping"),
        ('{"architecture": {"stages": 7}}', "not an architecture"),
        ('[{"architecture": {}}, {"architecture": {}}]', "holds 2 architectures"),
        ('{"architecture": {"stages": [{"depth": 1, "width": 8, "blok": 1}]}}', "did you mean 'block'"),
    ],
)
def test_a_file_that_is_no_architecture_is_refused_by_name(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_text(text)
    assert main(["show", str(tmp_path / "a.json")]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert message in said
    assert "a.json" in said


@pytest.mark.parametrize("name", ["one.json", "one.yaml"])
def test_a_saved_architecture_is_loaded_again(name: str, tmp_path: Path) -> None:
    one = drawn("modern", 3)
    one.save(tmp_path / name)
    assert Architecture.load(tmp_path / name) == one == resolve_architecture(str(tmp_path / name))


def test_what_cannot_be_saved_or_loaded_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written: No such file"):
        drawn("tiny", 0).save(tmp_path / "nowhere" / "one.yaml")
    (tmp_path / "shown.yaml").write_text(to_yaml(drawn("tiny", 0)))
    with pytest.raises(
        UserError, match=r"in the words of a space, as .* have them; read it with nas.load_architecture"
    ):
        Architecture.load(tmp_path / "shown.yaml")
    (tmp_path / "other.yaml").write_text("epochs: 5\n")
    with pytest.raises(UserError, match=r"other.yaml: not an architecture: there are no stages in it"):
        Architecture.load(tmp_path / "other.yaml")


def test_files_are_looked_for_beside_the_file_that_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "convnext_atto").mkdir()  # as `nas train convnext_atto -o convnext_atto` makes it
    here, there = drawn("tiny", 0), drawn("tiny", 1)
    here.save(tmp_path / "one.yaml")
    there.save(tmp_path / "studies/one.yaml")
    monkeypatch.chdir(tmp_path)
    assert resolve_architecture("one.yaml", beside=tmp_path / "studies") == there
    assert resolve_architecture("one.yaml", beside=tmp_path) == here
    assert resolve_architecture("convnext_atto", beside=tmp_path) == resolve_architecture("convnext_atto")


@pytest.mark.parametrize(
    ("references", "names"),
    [
        (["a/b/wide.yaml", "/c/deep.json", "winner/"], ["wide", "deep", "winner"]),
        (["a/first/one.yaml", "b/first/one.yaml", "two.yml"], ["a/first/one", "b/first/one", "two"]),
        (["one.yaml", "one.json", "one.yaml"], ["one.yaml", "one.json", "one.yaml"]),
        (["convnext_tiny", "here/convnext_tiny.yaml"], ["convnext_tiny", "here/convnext_tiny"]),
        (["r50_to_convnext_t/gelu", "tiny-20MFLOPs:83bd"], ["r50_to_convnext_t/gelu", "tiny-20MFLOPs:83bd"]),
    ],
)
def test_tables_call_files_by_as_much_of_their_path_as_tells_them_apart(
    references: list[str], names: list[str]
) -> None:
    assert short_names(references) == names
