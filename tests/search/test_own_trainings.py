"""Searches by somebody's own training: on either executor, interrupted or not, by command or from Python."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import yaml
from own_trainings import SEARCH, calls, command, environment, essence, searched, written

import nas
from nas.errors import StudyError, UserError
from nas.ledger import Ledger
from nas.report.study.repeat import repeat_row

RUNGS = ("--evaluate", "own_train:score?pause=0.01", "--epochs", "9", "--rungs", "1,3", "--trials", "8")
RAY = ("--executor", "ray", "--cpus-per-worker", "0.5")


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(900)
def test_both_executors_call_it_alike_and_its_rungs_go_on_from_their_checkpoints(tmp_path: Path) -> None:
    local, ray = written(tmp_path / "local"), written(tmp_path / "ray")
    searched(local, *SEARCH, *RUNGS, "--workers", "1")
    searched(ray, *SEARCH, *RUNGS, *RAY, "--workers", "1")
    assert essence(ray) == essence(local)
    for folder in (local, ray):
        assert {(rung, done) for _, rung, done in calls(folder)} == {(0, 0), (1, 1), (2, 3)}
        assert not list(folder.glob("nas.db.weights/own/checkpoints/*"))


def _killed(folder: Path, *options: str) -> None:
    """Begin a search, and kill its driver and all it has started once something is under way and something is done."""
    process = subprocess.Popen(
        command(*options), cwd=folder, env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None and not _is_well_under_way(folder):
        time.sleep(0.1)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for child in psutil.wait_procs(children, timeout=5)[1]:  # Ray's own processes outlive their driver for a while
        child.kill()


def _is_well_under_way(folder: Path) -> bool:
    """Whether one has ended and another has left a checkpoint, which it would remove at its end."""
    has_ended = (folder / "log").exists() and len(calls(folder)) >= 3
    return has_ended and any(folder.glob("nas.db.weights/own/checkpoints/*/epochs"))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("executor", [pytest.param((), id="local"), pytest.param(RAY, id="ray", marks=pytest.mark.ray)])
def test_killed_and_taken_up_again_it_ends_as_if_nothing_had_happened(
    tmp_path: Path, executor: tuple[str, ...]
) -> None:
    slow = ("--evaluate", "own_train:score?pause=0.3", "--epochs", "3", "--trials", "6")
    disturbed, alone = written(tmp_path / "disturbed"), written(tmp_path / "alone")
    _killed(disturbed, *SEARCH, *slow, *executor)
    before = calls(disturbed)
    searched(disturbed, "--resume", "--study", "own", "--workers", "2", *executor)
    searched(alone, *SEARCH, *slow, "--workers", "2")
    assert essence(disturbed) == essence(alone)
    again = [done for name, _, done in calls(disturbed)[len(before) :] if name in {one for one, _, _ in before}]
    assert any(again), "none of those that were under way went on from its checkpoint"


def study_in(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "own", **given: object) -> nas.Study:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OWN_LOG", str(folder / "log"))
    given = {"space": "tiny", "budget": "20MFLOPs", "sampler": "random"} | given
    return nas.Study.create(name, storage=f"sqlite:///{folder}/nas.db", **given)  # type: ignore[arg-type]


CONSTANT = "def score(architecture, *, job, report, value=0.5):\n    return value\n"
RAISING = "def score(architecture, *, job, report):\n    return {}['accuracy']\n"


@pytest.mark.slow
def test_from_python_a_study_takes_it_up_and_goes_on_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_constant.py").write_text(CONSTANT)
    study = study_in(tmp_path, monkeypatch)
    workers = nas.Local(workers=1)
    study.search(trials=2, evaluate="own_constant:score?value=0.25", executor=workers, quiet=True)
    assert {row.accuracy for row in study.trials} == {0.25}
    again = nas.Study.open("own", storage=study.storage)
    again.search(trials=3, executor=workers, quiet=True)
    assert len(again.trials) == 3
    with pytest.raises(StudyError, match=r"is trained by own_constant:score\(value=0.25\) .* and this is"):
        again.search(trials=4, evaluate="own_constant:score?value=0.5", executor=workers, quiet=True)
    with pytest.raises(StudyError, match="evaluated by own_constant:score, which does not mix with ask and tell"):
        again.ask()
    with pytest.raises(StudyError, match="trains by its own function"):
        again.best.export(tmp_path / "winner", quiet=True)
    (tmp_path / "own_constant.py").write_text(CONSTANT + "# changed\n")
    with pytest.raises(StudyError, match="hash of its source"):
        again.search(trials=4, executor=workers, quiet=True)
    other = study_in(tmp_path, monkeypatch, "other")
    other.search(trials=2, evaluate="own_constant:score?value=0.25", executor=workers, quiet=True)
    assert {row.state for row in other.trials} == {"done"}  # another version: nothing is reused


@pytest.mark.slow
def test_what_it_raises_is_kept_in_the_ledger(tmp_path: Path) -> None:
    (tmp_path / "own_raising.py").write_text(RAISING)
    done = searched(tmp_path, *SEARCH, "--evaluate", "own_raising:score", "--trials", "2", code=1)
    assert "KeyError: 'accuracy'" in done.stderr
    with Ledger.read(f"sqlite:///{tmp_path}/nas.db") as ledger:
        failed = [one.evaluation for one in ledger.trials("own") if one.evaluation is not None]
    assert failed
    assert all("own_raising.py" in one.traceback and "return {}['accuracy']" in one.traceback for one in failed)


@pytest.mark.slow
def test_accuracies_of_unlike_origin_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_constant.py").write_text(CONSTANT)
    study = study_in(tmp_path, monkeypatch)
    study.tell(study.ask(), accuracy=0.5)
    with pytest.raises(StudyError, match="are told, which does not mix with those that are of its own evaluate"):
        study.search(trials=2, evaluate="own_constant:score", quiet=True)
    assert study.definition.evaluate is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"data": "digits"}, "data is what the proxy trains on"),
        ({"recipe": "proxy_fast"}, "a recipe is how the proxy trains"),
        ({"recipe": {"batch": 8}}, "a recipe is how the proxy trains"),
        ({"recipe": {"epochs": 3, "rungs": [{"epochs": 1, "data_share": 0.5}]}}, "a recipe is how the proxy trains"),
        ({"evaluate": "own_constnat:score"}, "no module 'own_constnat' in"),
    ],
)
def test_what_it_would_take_no_notice_of_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, object], said: str
) -> None:
    (tmp_path / "own_constant.py").write_text(CONSTANT)
    with pytest.raises(UserError, match=said):
        study_in(tmp_path, monkeypatch, **({"evaluate": "own_constant:score"} | given))
    assert not (tmp_path / "nas.db").exists()


def test_a_study_that_was_begun_for_the_proxy_keeps_what_it_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_constant.py").write_text(CONSTANT)
    study = study_in(tmp_path, monkeypatch, recipe={"data_share": 0.1})
    with pytest.raises(StudyError, match="begun with a data set or a recipe"):
        study.search(trials=2, evaluate="own_constant:score", quiet=True)


FILE = """\
name: own
space: tiny
budget: 20MFLOPs
evaluate: own_constant.py:score
recipe: {epochs: 9, rungs: [1, 3]}
trials: 2
"""


@pytest.mark.slow
def test_a_study_file_names_it_relative_to_itself(tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "own_constant.py").write_text(CONSTANT)
    (beside / "study.yaml").write_text(FILE)
    said = json.loads(searched(tmp_path, "--study", "beside/study.yaml", "--dry-run", "--json").stdout)
    own = said["definition"]["evaluate"]
    assert (own["name"], own["version_is"], own["epochs"]) == ("own_constant:score", "hash of its source", 9)
    assert own["rungs"] == [1, 3]
    refused = searched(tmp_path, "--study", "beside/study.yaml", "--recipe", "proxy_fast", code=2)
    assert "a recipe is how the proxy trains" in refused.stderr
    lost = searched(tmp_path, *SEARCH, "--evaluate", "own_constant:score", code=2)
    assert f"no module 'own_constant' in {tmp_path}" in lost.stderr
    assert "Traceback" not in lost.stderr


def test_what_a_study_is_repeated_by_names_the_function_and_no_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_constant.py").write_text(CONSTANT)
    study = study_in(
        tmp_path, monkeypatch, evaluate="own_constant.py:score?value=0.25", recipe={"epochs": 9, "rungs": [1, 3]}
    )
    own = study.definition.evaluate
    assert own is not None
    assert own.stops == (1, 3, 9)
    assert len(study.definition.recipe.fidelities) == 3
    with Ledger.read(study.storage) as ledger:
        row = repeat_row(ledger.study("own"), 2, [])
    written = yaml.safe_load(row.files["own.yaml"])
    assert written["evaluate"] == "own_constant.py:score?value=0.25"
    assert written["recipe"] == {"epochs": 9, "rungs": [{"epochs": 1}, {"epochs": 3}]}
    assert "data" not in written
    assert row.facts["evaluate function"].startswith("own_constant:score ")
