"""`nas trust`, with real trainings of the smallest kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nas.cli.main import main
from nas.evaluate.zerocost import scores
from nas.ledger import Ledger
from nas.records import TrialState

Capture = pytest.CaptureFixture[str]
PROXY = "{epochs: 2, rungs: [1], resolution: 8, data_share: 0.05, batch: 16}"
REFERENCE = "{epochs: 2, resolution: 8, data_share: 0.1, batch: 16}"
SMALL = (
    "trust", "--space", "tiny", "--budget", "2.5MFLOPs", "--recipe", "proxy.yaml", "--reference", "reference.yaml",
    "-n", "4", "--seeds", "2", "--workers", "1",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _folder_with_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("proxy.yaml").write_text(PROXY)
    Path("reference.yaml").write_text(REFERENCE)


def printed(capsys: Capture, *arguments: str) -> Any:
    assert main([*SMALL, *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_trust_judges_rungs_and_scores_and_goes_on(capsys: Capture) -> None:
    report = printed(capsys, "-o", "report.md", "--checkpoints", f"{Path('aside').absolute().as_uri()}/")
    assert [path.name for path in Path("aside").iterdir()] == [report["study"]]
    assert not Path("nas.db.weights").exists()
    rankings = {row["name"]: row for row in report["rankings"]}
    assert set(rankings) == {"rung 0", "rung 1", *scores}
    assert {row["kind"] for row in report["rankings"]} == {"rung", "score", "trivial"}
    assert [rankings[name]["judgement"]["verdict"] for name in ("params", "flops")] == [None, None]
    assert 0 < rankings["rung 0"]["seconds"] < rankings["rung 1"]["seconds"]
    assert rankings["rung 1"]["share"] == pytest.approx(rankings["rung 1"]["seconds"] / report["reference"]["seconds"])
    low, high = (rankings["rung 0"]["judgement"]["tau"][end] for end in ("low", "high"))
    assert -1 <= low <= rankings["rung 0"]["judgement"]["tau"]["value"] <= high <= 1
    assert len(report["sentences"]) == 3

    for one in report["architectures"]:
        assert (len(one["reference"]), [len(rung) for rung in one["rungs"]]) == (2, [2, 2])
        assert set(one["scores"]) == set(scores)
        assert one["scores"]["flops"] != [one["flops"]] * 2  # at 8x8, where it trains; the budget's are at 32x32
        assert one["scores"]["params"][0] == one["scores"]["params"][1]
    with Ledger.read("sqlite:///nas.db") as ledger:
        trials = ledger.trials(report["study"])
    assert {trial.state for trial in trials} == {TrialState.DONE}
    proxies, references = (
        {trial.choices["seed"] for trial in trials if trial.choices["role"] == role} for role in ("proxy", "reference")
    )
    assert not proxies & references
    assert not list(Path().rglob("*.ckpt"))

    text = Path("report.md").read_text()
    assert text.startswith("# trust-tiny-2.5MFLOPs\n")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(rankings) + 1
    assert len({line.count("|") for line in table}) == 1
    assert "Noise ceiling" in text
    assert all(sentence in text for sentence in report["sentences"])

    assert printed(capsys) == report  # everything is known: no training, no score
    with Ledger.read("sqlite:///nas.db") as ledger:
        assert ledger.trials(report["study"]) == trials
    assert main(list(SMALL)) == 0
    drawn = capsys.readouterr().out
    assert "rung 1" in drawn
    assert "…" not in drawn  # the table fits
    assert main([*SMALL, "--seed", "1"]) == 2
    assert "was begun with other drawn_from" in " ".join(capsys.readouterr().err.split())
    assert main(["pareto"]) == 2
    assert "no study that searches" in capsys.readouterr().err


@pytest.mark.slow
def test_dry_run_trains_nothing(capsys: Capture) -> None:
    said = printed(capsys, "--dry-run")
    assert (said["study"], len(set(said["architectures"])), said["rungs"]) == ("trust-tiny-2.5MFLOPs", 4, 2)
    assert not Path("nas.db").exists()
    more = printed(capsys, "--dry-run", "-n", "6")
    assert more["architectures"][:4] == said["architectures"]
    assert main([*SMALL, "--dry-run"]) == 0
    assert "2 epochs, 8x8, 10% of the images" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--reference", "proxy.yaml"], "the same recipe"),
        (["--recipe", "convnext_300"], "did you mean 'convnext_300e'"),
        (["--study", "a/b"], "cannot name a study"),
        (["-n", "3"], "architectures"),
        (["--budget", "1params"], "smallest"),
        (["--recipe", "missing.yaml"], "missing.yaml"),
        (["--checkpoints", "proxy.yaml"], "proxy.yaml/trust-tiny-2.5MFLOPs: checkpoints cannot be written there"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_gets_one_clear_message(arguments: list[str], says: str, capsys: Capture) -> None:
    assert main([*SMALL, *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in " ".join(captured.err.split())
    assert not Path("nas.db").exists()
