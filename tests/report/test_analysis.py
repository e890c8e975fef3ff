"""A study's analysis from its ledger, for programs and for people."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "analysis"))

from planted import TINY, put_study

import nas
from nas.cli.main import main
from nas.errors import StudyError
from nas.ledger import Ledger
from nas.report.ablation import way_to_best
from nas.report.analysis import analyse

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A ledger with three searches: drawn at random, mostly chosen by a sampler, and with rungs."""
    address = f"sqlite:///{tmp_path_factory.mktemp('analysis')}/nas.db"
    with Ledger.open(address) as ledger:
        put_study(ledger, "drawn", TINY, count=150, seed=0)
        put_study(ledger, "chosen", TINY, count=60, seed=1, sampler="surrogate")
        put_study(ledger, "rungs", TINY, count=60, seed=2, rungs=2)
    return address


def test_the_document_holds_every_value(storage: str, capsys: Capture) -> None:
    assert main(["analyze", "drawn", "--storage", storage, "--json"]) == 0
    (study,) = json.loads(capsys.readouterr().out)["studies"]
    assert study["basis"] == "random"
    assert study["origins"] == {"random": 150, "given": 0, "chosen": 0}
    helps = {(one["decision"], one["value"]) for one in study["effects"] if one["finding"] == "helps"}
    assert ("stages.1.block.mixer.kernel", "7") in helps
    assert {"stages.*.depth", "stages.*.block.mixer.kernel"} <= {one["decision"] for one in study["effects"]}
    assert len(study["importances"]["rows"]) == 11


def test_a_sampler_without_enough_control_tells_nothing(storage: str, capsys: Capture) -> None:
    assert main(["analyze", "chosen", "--storage", storage, "--json"]) == 0
    (study,) = json.loads(capsys.readouterr().out)["studies"]
    assert study["origins"]["random"] == 6
    assert {one["finding"] for one in study["effects"]} == {"cannot tell"}
    assert "random control" in study["effects"][0]["why"]


def test_accuracies_are_of_the_rung_that_all_have_reached(storage: str) -> None:
    with Ledger.read(storage) as ledger:
        low, high = analyse(ledger, "rungs"), analyse(ledger, "rungs", rung=1)
    assert (len(low.outcomes), len(high.outcomes)) == (60, 20)
    assert low.model.basis == "random"
    assert high.model.basis == "none"
    assert "rung" in low.sentences()[1]
    with Ledger.read(storage) as ledger, pytest.raises(StudyError, match="no rung 2"):
        analyse(ledger, "rungs", rung=2)


def test_people_read_what_is_sure_first(storage: str, capsys: Capture) -> None:
    assert main(["analyze", "drawn", "chosen", "--storage", storage]) == 0
    said = capsys.readouterr().out
    assert "150 drawn at random" in said
    assert "helps" in said
    assert "No effect can be told" in said
    assert "cannot be told (`--all`)" in said
    assert main(["analyze", "drawn", "--all", "--storage", storage]) == 0
    assert "stages.width.base" in capsys.readouterr().out


def test_python_and_the_command_line_say_the_same(storage: str, capsys: Capture) -> None:
    assert main(["analyze", "drawn", "--storage", storage, "--json"]) == 0
    (study,) = json.loads(capsys.readouterr().out)["studies"]
    assert json.loads(json.dumps(nas.analyze("drawn", storage=storage).to_dict())) == study
    assert {"near chance", "told apart"} & {one["measure"] for one in study["proxy_health"]}


def test_a_study_that_is_not_there(storage: str, capsys: Capture) -> None:
    assert main(["analyze", "nothing", "--storage", storage]) == 2
    assert "nothing" in capsys.readouterr().err


@pytest.mark.slow
def test_values_of_a_decision_are_compared_as_populations(storage: str, capsys: Capture, tmp_path: Path) -> None:
    plot = tmp_path / "kernels.html"
    command = ["analyze", "drawn", "--by", "kernel=3,7", "--plot", str(plot), "--storage", storage, "--json"]
    assert main(command) == 0
    contests = json.loads(capsys.readouterr().out)["populations"]
    assert [one["about"] for one in contests] == [f"stages.{stage}.block.mixer.kernel" for stage in range(3)]
    planted = contests[1]["comparison"]
    assert planted["low"] < 0.02 < planted["high"]
    assert "<html>" in plot.read_text(encoding="utf-8")[:100]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "kernl"], "no decision 'kernl'"),
        (["--by", "kernel=3,9"], "no value '9'"),
        (["--by", "kernel=3"], "compares two values"),
        (["--plot", "x.png"], "--by DECISION"),
        (["--from", "nobody"], "nobody"),
    ],
)
def test_what_cannot_be_compared_is_refused(storage: str, capsys: Capture, arguments: list[str], said: str) -> None:
    assert main(["analyze", "drawn", *arguments, "--storage", storage]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_studies_are_compared_if_they_were_trained_alike(storage: str, capsys: Capture) -> None:
    assert main(["analyze", "drawn", "chosen", "--storage", storage, "--json"]) == 0
    (contest,) = json.loads(capsys.readouterr().out)["populations"]
    assert "6 networks were drawn at random" in contest["comparison"]["doubt"]
    assert main(["analyze", "drawn", "rungs", "--storage", storage]) == 2
    assert "another recipe" in capsys.readouterr().err


def test_the_way_to_the_best_leads_there_a_decision_at_a_time(storage: str, capsys: Capture) -> None:
    with Ledger.read(storage) as ledger:
        rows = sorted(analyse(ledger, "drawn").outcomes, key=lambda row: row.accuracy)
    assert main(["analyze", "drawn", "--from", rows[0].id, "--storage", storage, "--json"]) == 0
    (study,) = json.loads(capsys.readouterr().out)["studies"]
    steps = study["path"]
    assert (steps[0]["id"], steps[-1]["id"]) == (rows[0].id, rows[-1].id)
    assert (steps[0]["accuracy"], steps[-1]["accuracy"]) == (rows[0].accuracy, rows[-1].accuracy)
    assert steps[-1]["flops"] == rows[-1].cost["flops"]
    differing = {name for name, value in rows[-1].decisions.items() if rows[0].decisions[name] != value}
    assert {step["decision"] for step in steps[1:]} == differing
    with Ledger.read(storage) as ledger:
        assert [one.id for one in way_to_best(ledger, analyse(ledger, "drawn"), f"drawn:{rows[0].id[:8]}")] == [
            step["id"] for step in steps
        ]
    assert main(["analyze", "chosen", "--from", "no", "--storage", storage]) == 2


@pytest.mark.slow
def test_optunas_importances_stand_beside_ours(storage: str, capsys: Capture) -> None:
    assert main(["analyze", "drawn", "--optuna", "--storage", storage, "--json"]) == 0
    (study,) = json.loads(capsys.readouterr().out)["studies"]
    ours = {one["decision"]: one["importance"] for one in study["importances"]["rows"]}
    assert set(study["optuna"]) == {"ped_anova", "fanova"}
    for theirs in study["optuna"].values():
        assert set(theirs) == set(ours)
        assert sum(theirs.values()) == pytest.approx(1)
    assert main(["analyze", "drawn", "--optuna", "--storage", storage]) == 0
    assert "Optuna's fanova" in capsys.readouterr().out
