from __future__ import annotations

from pathlib import Path

import pytest
from space_texts import text_with

from nas.errors import UnknownNameError, UserError
from nas.schema.packaged import space_names
from nas.schema.problems import SchemaError
from nas.space import load_architecture, load_space


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] * (one not in ("tiny", "convnext"))) for one in space_names()]
)
def test_packaged_space_is_found_by_name_with_and_without_suffix(name: str) -> None:
    assert load_space(name).name == name
    assert load_space(f"{name}.yaml").text == load_space(name).text
    assert load_space(name).size() > 1
    assert load_space(name).about


def test_file_here_comes_before_a_packaged_space(folder: Path) -> None:
    (folder / "tiny.yaml").write_text("name: mine\n" + text_with())
    assert load_space("tiny.yaml").name == "mine"
    assert load_space("tiny").name == "tiny"


def test_folder_here_does_not_hide_a_packaged_space(folder: Path) -> None:
    (folder / "tiny").mkdir()
    (folder / "convnext_tiny").mkdir()
    assert load_space("tiny").name == "tiny"
    assert load_architecture("convnext_tiny").depth == 18


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("tinny", "no file 'tinny' here and no packaged space 'tinny'; did you mean 'tiny'?"),
        ("tinny.yaml", "no file 'tinny.yaml' here and no packaged space 'tinny'; did you mean 'tiny'?"),
        ("./tiny.yaml/x", "no such file"),
        ("spaces/tiny.yaml", "spaces/tiny.yaml: no such file"),
        ("/nowhere/tiny.yaml", "/nowhere/tiny.yaml: no such file"),
        (".", "this is a folder"),
        ("", "this is a folder"),
        ("n" * 300, "no packaged space"),
        ("nul\0", "no packaged space"),
    ],
)
def test_space_that_is_nowhere_is_met_with_advice(ref: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_space(ref)
    assert message in str(caught.value)


def test_problems_are_reported_under_the_name_that_was_given(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.yaml").write_text(text_with(depth="[-1, 1]"))
    with pytest.raises(SchemaError, match=r"^sub/a\.yaml:4:11: depth: must be between 0 and 1000, got -1"):
        load_space("sub/a.yaml")


def test_architecture_is_found_by_preset_file_and_folder(folder: Path) -> None:
    (folder / "winner").mkdir()
    (folder / "winner" / "architecture.yaml").write_text(text_with())
    (folder / "mine.yaml").write_text(text_with())
    assert load_architecture("winner") == load_architecture("mine.yaml") == load_architecture(folder / "mine.yaml")
    assert load_architecture("convnext_tiny") == load_architecture("convnext_tiny.yaml")


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("convnext_tinny", "no file and no preset 'convnext_tinny'; did you mean 'convnext_tiny'?"),
        ("what", "no file and no preset 'what'; `nas presets` lists the presets"),
        ("mine.yaml", "mine.yaml: no such file"),
        ("tiny", "tiny: this is a space, not an architecture: stages.0.depth, stages.1.depth, stages.2.depth and"),
    ],
)
def test_architecture_that_is_nowhere_is_met_with_advice(ref: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_architecture(ref)
    assert message in str(caught.value)


def test_folder_without_an_architecture_is_refused(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match="empty: this is a folder"):
        load_architecture("empty")


def test_space_with_one_open_decision_is_no_architecture(folder: Path) -> None:
    (folder / "open.yaml").write_text(text_with(width="{choice: [8, 16]}"))
    with pytest.raises(UserError, match=r"stages\.width is open; `nas sample --space open\.yaml` draws from it"):
        load_architecture("open.yaml")


def test_unknown_space_is_a_lookup_error() -> None:
    with pytest.raises(UnknownNameError):
        load_space("nothing-like-it")
