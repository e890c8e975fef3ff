"""`nas shrink` and `nas pareto --confirm`, from the command line."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "analysis"))

from planted import TINY, put_study

from nas.cli.main import main
from nas.ledger import Ledger
from nas.space import load_space

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with two searches."""
    file = tmp_path_factory.mktemp("shrink") / "nas.db"
    with Ledger.open(f"sqlite:///{file}") as ledger:
        put_study(ledger, "drawn", TINY, count=200, seed=0)
        put_study(ledger, "few", TINY, count=15, seed=1)
    return file


@pytest.fixture
def storage(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    shutil.copy(written, tmp_path / "nas.db")
    return f"sqlite:///{tmp_path}/nas.db"


def test_the_refined_space_holds_what_the_evidence_supports(storage: str, tmp_path: Path, capsys: Capture) -> None:
    assert main(["shrink", "drawn", "-o", "sub/refined.yaml", "--storage", storage, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    dropped = {tuple(cut["decisions"]): cut["dropped"] for cut in found["cuts"]}
    assert dropped["stages.block.norm",] == ["batchnorm"]
    refined = load_space(tmp_path / "sub" / "refined.yaml")
    assert refined.size() == found["refined_points"] < found["points"]
    assert refined.dimensions()["stages.block.norm"].values == ("layernorm",)
    assert "without batchnorm" in refined.text
    (kept,) = [one for one in found["kept"] if one["decisions"] == ["stages.1.block.mixer.kernel"]]
    assert (kept["worse"], kept["evidence"][0]["against"]) == ([3, 5], "7")
    assert kept["evidence"][0]["high"] < 0
    for line in load_space("tiny").text.splitlines():
        assert not line.startswith("#") or line in refined.text


def test_a_file_is_written_over_by_force_only(storage: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "there.yaml").write_text("mine", encoding="utf-8")
    assert main(["shrink", "drawn", "-o", "there.yaml", "--storage", storage]) == 2
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "there.yaml").read_text(encoding="utf-8") == "mine"
    assert main(["shrink", "drawn", "-o", "there.yaml", "--force", "--storage", storage]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "batchnorm" in said
    assert "stages.1.block.mixer.kernel 3 7 -" in said
    assert "A list in its place has a choice for each stage." in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shrink", "drawn"], "-o refined.yaml"),
        (["shrink", "few", "-o", "x.yaml"], "supports no narrower space"),
        (["shrink", "drawn", "-o", "x.yaml", "--workers", "2"], "--verify N"),
        (["pareto", "drawn", "--workers", "2"], "--confirm N"),
        (["pareto", "drawn", "--confirm", "2", "--csv"], "whole front"),
    ],
)
def test_what_makes_no_sense_is_refused(storage: str, capsys: Capture, arguments: list[str], said: str) -> None:
    assert main([*arguments, "--storage", storage]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
    assert not Path("x.yaml").exists()


@pytest.mark.slow
def test_a_front_is_trained_again_with_other_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    begin = ["search", "--space", "tiny", "--budget", "3MFLOPs", "--data", "digits", "--trials", "3", "--study", "s"]
    assert main([*begin, "--sampler", "random", "--workers", "1"]) == 0
    capsys.readouterr()
    assert main(["pareto", "s", "--confirm", "2", "--workers", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows
    for row in rows:
        assert row["confirmed"]["seeds"] == 2
        assert row["confirmed"]["low"] <= row["confirmed"]["confirmed"] <= row["confirmed"]["high"]
    with Ledger.read("sqlite:///nas.db") as ledger:
        (again,) = [one.name for one in ledger.studies() if one.name.startswith("s-confirm-")]
        assert {one.key.seed for one in ledger.evaluations(again)} == {1, 2}
    assert main(["pareto", "s", "--confirm", "1", "--workers", "1"]) == 0
    assert re.search("on average .* points (were luck|higher)", capsys.readouterr().out)
