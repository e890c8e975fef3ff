from __future__ import annotations

import json
from pathlib import Path

import pytest

from nas.cli.main import main
from nas.ledger import Ledger
from nas.records import Evaluation, EvaluationKey, StudyKind, StudyRecord, TrialRecord, TrialState

Capture = pytest.CaptureFixture[str]
RUNGS = [{"epochs": 1}, {"epochs": 3}]


def search(file: Path, sampler: str, *, seed: int = 0, rungs: bool = False, epochs: int = 9, trials: int = 4) -> None:
    """A search as `nas search` leaves it: each candidate dearer and better than the one before."""
    recipe = {"epochs": epochs} | ({"rungs": RUNGS} if rungs else {})
    definition = {
        "space": {"name": "s", "text": "s"}, "budget": ["1GFLOPs"], "task": {}, "fingerprint": "f", "recipe": recipe,
        "sampler": sampler, "seed": seed, "objectives": "accuracy,flops",
    }  # fmt: skip
    costs = {"params": 1, "activations": 1, "train_params": 1, "train_flops": 1}
    with Ledger.open(f"sqlite:///{file}") as ledger:
        ledger.create_study(
            StudyRecord(name=sampler, kind=StudyKind.SEARCH, definition=definition, created="2026-01-01T00:00:00")
        )
        for number in range(trials):
            form = f"{number:012x}"
            record = TrialRecord(
                number=number, architecture_id=form, choices={}, cost={"flops": 100 * (number + 1), **costs},
                overrun={}, state=TrialState.QUEUED,
            )  # fmt: skip
            ledger.write_trials(sampler, [record], architectures={form: {"stem": number}})
            for rung in range(3 if rungs and number % 2 else 1):
                key = EvaluationKey(architecture_id=form, recipe=str(recipe), fingerprint="f", seed=seed, rung=rung)
                last = rung == 2 * rungs
                ledger.finish(
                    sampler,
                    number,
                    Evaluation(key=key, accuracy=0.1 * (number + rung), seconds=10),
                    TrialState.DONE if last else TrialState.STOPPED,
                )


@pytest.mark.slow
def test_searches_are_compared_by_training_time(tmp_path: Path, capsys: Capture) -> None:
    search(tmp_path / "a.db", "surrogate", rungs=True)
    search(tmp_path / "b.db", "random")
    ledgers = [str(tmp_path / "a.db"), f"sqlite:///{tmp_path}/b.db"]
    report, plot = tmp_path / "race.md", tmp_path / "race.png"
    assert main(["bench", "ledgers", *ledgers, "--json", "-o", str(report), "--plot", str(plot)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["seconds"] == 40
    ours, chance = found["searches"]
    assert (ours["search"], ours["seconds"], ours["candidates"], ours["trained_to_the_end"]) == (
        "surrogate, rungs 1,3", 80, 4, 2,
    )  # fmt: skip
    assert (chance["search"], chance["trained_to_the_end"]) == ("random, no rungs", 4)
    assert ours["hypervolume"]["0.25"] == 0
    assert plot.stat().st_size > 1000
    assert "![Hypervolume against training time](race.png)" in report.read_text()
    assert main(["bench", "ledgers", *ledgers]) == 0
    assert "random, no rungs" in capsys.readouterr().out


@pytest.mark.slow
def test_what_cannot_be_compared_is_left_out_and_said(tmp_path: Path, capsys: Capture) -> None:
    search(tmp_path / "a.db", "random")
    search(tmp_path / "b.db", "random", epochs=5)
    search(tmp_path / "c.db", "random", trials=0)
    named = [str(tmp_path / f"{name}.db") for name in "abc"]
    assert main(["bench", "ledgers", *named, "--json"]) == 0
    said = capsys.readouterr()
    assert [one["search"] for one in json.loads(said.out)["searches"]] == ["random, no rungs"]
    words = " ".join(said.err.split())
    assert "left out: " in words
    assert "has another recipe than random in" in words
    assert "has trained no network to the end" in words
    assert main(["bench", "ledgers", str(tmp_path / "c.db")]) == 2
    assert "trained no network to the end" in " ".join(capsys.readouterr().err.split())
    assert main(["bench", "ledgers", str(tmp_path / "missing.db")]) == 2
    assert "missing.db" in capsys.readouterr().err
