"""A search that is killed again and again: `python tests/search/kill_run.py --kills 200`.

Real everything: the `nas` command, real trainings on real digits, SIGKILL to the driver or to one of its workers at
random moments. In the end the ledger must hold every training exactly once, and the same ones as a search that was
left alone.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import psutil
from optuna_rows import rows_of

from nas.ledger import Ledger
from nas.records import TrialRecord, TrialState
from nas.search.definition import StudyDefinition
from nas.search.manage import copy_for_optuna

SPACE = """
name: killed
task: {resolution: 16, classes: 10, channels: 1}
stem: {kind: patchify, patch: 4}
stages:
  depth: {int: [1, 5], per: stage}
  width: {base: {int: [8, 24], step: 8}, ratio: [1, 2]}
  block: {kind: mixer_first, mixer: {kind: depthwise, kernel: {choice: [3, 5], per: stage}}, layer_scale: 1e-6}
  downsample: conv
head: pool_norm_linear
"""
STUDY = """
name: killed
space: space.yaml
budget: 400kFLOPs
data: digits
recipe: {epochs: 1, resolution: 16, data_share: 0.3}
sampler: tpe
"""


class Tally(NamedTuple):
    """What a run of kills came to."""

    driver_kills: int
    worker_kills: int
    resumes: int
    trials: int
    trained: int
    states: dict[str, int]
    duplicates: int
    lost: int
    same_as_undisturbed: bool
    same_for_optuna: bool


def kill_run(folder: Path, *, kills: int, trials: int, seed: int) -> Tally:
    """Search with interruptions until all kills are spent, then to the end, and compare with an undisturbed search."""
    rng = random.Random(seed)
    done: Counter[str] = Counter()
    disturbed = _folder(folder / "disturbed")
    while done["driver"] + done["worker"] < kills:
        done["resumes"] += 1
        target = max(1, round(trials * (done["driver"] + done["worker"]) / kills))
        _one_life(disturbed, rng, done, kills, target)
    _search(disturbed, trials, resume=True).wait()
    alone = _folder(folder / "alone")
    assert _search(alone, trials, resume=False).wait() == 0
    return _tally(_trials(disturbed), _trials(alone), done, trials, same_for_optuna=_is_mirrored(disturbed))


def _one_life(folder: Path, rng: random.Random, done: Counter[str], kills: int, target: int) -> None:
    """Start or resume the driver, kill workers now and then, and at last the driver, unless it ends before."""
    driver = _search(folder, target, resume=(folder / "nas.db").exists() and bool(_names(folder)))
    process = psutil.Process(driver.pid)
    end = time.monotonic() + rng.uniform(0.5, 9.0)
    while driver.poll() is None and time.monotonic() < end:
        time.sleep(rng.uniform(0.05, 0.6))
        workers = [child for child in _children(process) if _is_worker(child, process)]
        if workers and rng.random() < 0.3 and done["driver"] + done["worker"] < kills:
            rng.choice(workers).send_signal(signal.SIGKILL)
            done["worker"] += 1
    if driver.poll() is None:
        driver.send_signal(signal.SIGKILL)
        done["driver"] += 1
    driver.wait()


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _is_worker(child: psutil.Process, driver: psutil.Process) -> bool:
    """Workers are the fork server's children; killing that one is as good as killing all of them."""
    try:
        return child.status() != psutil.STATUS_ZOMBIE and child.ppid() != driver.pid
    except psutil.NoSuchProcess:
        return False


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "space.yaml").write_text(SPACE)
    (path / "study.yaml").write_text(STUDY)
    return path


def _search(folder: Path, trials: int, *, resume: bool) -> subprocess.Popen[bytes]:
    what = ["--resume", "--study", "killed"] if resume else ["--study", "study.yaml"]
    command = [sys.executable, "-m", "nas", "search", *what, "--trials", str(trials), "--workers", "1"]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)


def _names(folder: Path) -> list[str]:
    try:
        with Ledger.read(f"sqlite:///{folder}/nas.db") as ledger:
            return [study.name for study in ledger.studies()]
    except Exception:  # the driver was killed before it had made the tables
        return []


def _trials(folder: Path) -> list[TrialRecord]:
    with Ledger.read(f"sqlite:///{folder}/nas.db") as ledger:
        return ledger.trials("killed")


def _is_mirrored(folder: Path) -> bool:
    """Whether Optuna's copy, which all those drivers have left, is what a copy of the finished study is."""
    with Ledger.read(f"sqlite:///{folder}/nas.db") as ledger:
        definition = StudyDefinition.from_dict(ledger.study("killed").definition)
        copy_for_optuna(ledger, f"sqlite:///{folder}/fresh.db", "killed", definition)
    return rows_of(folder / "nas.db") == rows_of(folder / "fresh.db")


def _tally(
    disturbed: list[TrialRecord],
    alone: list[TrialRecord],
    done: Counter[str],
    trials: int,
    *,
    same_for_optuna: bool,
) -> Tally:
    trained = [one for one in disturbed if one.state is TrialState.DONE]
    distinct = {one.architecture_id for one in trained}
    known = {one.architecture_id for one in disturbed if one.evaluation is not None}

    def essence(records: list[TrialRecord]) -> list[tuple[int, str, str, float | None]]:
        return [
            (one.number, one.architecture_id, one.state, one.evaluation.accuracy if one.evaluation else None)
            for one in records
        ]

    return Tally(
        driver_kills=done["driver"],
        worker_kills=done["worker"],
        resumes=done["resumes"],
        trials=len(disturbed),
        trained=len(trained),
        states=dict(Counter(str(one.state) for one in disturbed)),
        duplicates=len(trained) - len(distinct),
        lost=trials - len(known),
        same_as_undisturbed=essence(disturbed) == essence(alone),
        same_for_optuna=same_for_optuna,
    )


def main() -> int:
    """Run, print the tally; exit code 1 if anything was lost, repeated or different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--trials", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = kill_run(Path(folder), kills=given.kills, trials=given.trials, seed=given.seed)
    sys.stdout.write("\n".join(f"{name}: {value}" for name, value in tally._asdict().items()) + "\n")
    is_well = tally.same_as_undisturbed and tally.same_for_optuna
    return int(tally.duplicates != 0 or tally.lost != 0 or not is_well)


if __name__ == "__main__":
    sys.exit(main())
