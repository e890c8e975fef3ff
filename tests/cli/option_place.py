"""A folder with something for every command, and what stands in for work that takes long."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from option_sweep import ARCHITECTURE_TEXT
from PIL import Image
from study_kinds import Work

sys.path.insert(0, str(Path(__file__).parents[1] / "analysis"))

from planted import TINY, put_study

from nas import build
from nas.architecture import Architecture
from nas.cli.main import main
from nas.export.layouts import layouts_of
from nas.export.trained import Trained
from nas.ledger import Ledger
from nas.measure.latencies import Found
from nas.measure.profile import NamedProfile
from nas.records import LatencyKey, LatencyRecord, StudyKind
from nas.schema.packaged import SPACES, packaged
from nas.search.bench.in_process import InProcess
from nas.search.bench.many import search_tables
from nas.search.driver import Driver, StudyStopped
from nas.search.sweeps.refinement_run import RefinementRun
from nas.search.sweeps.sweep_run import SweepRun
from nas.search.sweeps.trainings import open_study
from nas.space import load_architecture
from nas.task import Task
from tests.measure.conftest import write_profile

BRANCHED = ARCHITECTURE_TEXT.replace("depthwise, kernel: 3}", "large_kernel, kernel: 7, small: 3}")
TABLE = (
    "name: mine\nfile: mine.csv\ndecisions: {width: ordered, depth: ordered}\nseen: seen\nscored: mean\ncosts: flops\n"
)


def prepare(folder: Path, ledger: Path) -> None:
    """Write everything; the ledger is one with a study of every kind."""
    (folder / "arch.yaml").write_text(ARCHITECTURE_TEXT)
    (folder / "deep.yaml").write_text(ARCHITECTURE_TEXT.replace("[1, 1]", "[1, 2]"))
    (folder / "branched.yaml").write_text(BRANCHED)
    (folder / "other.yaml").write_text((packaged(SPACES) / "tiny.yaml").read_text().replace("[2, 4]", "[2, 3]"))
    (folder / "own.py").write_text("def score(architecture, *, job, report):\n    return 0.5\n")
    (folder / "broken.py").write_text("raise RuntimeError('not today')\n")
    write_profile(folder, "torch", "device: cpu\nthreads: 1\nclock: process\nresolution: 32")
    for name in ("nas.db", "twin.db"):
        shutil.copy(ledger, folder / name)
    with Ledger.open(f"sqlite:///{folder}/nas.db") as open_ledger:
        put_study(open_ledger, "searched", TINY, count=200, seed=0)
    _write_images(folder)
    rows = [f"{width},{depth},{depth / 10},{depth / 10},{width}" for width in (8, 16, 32) for depth in (1, 2, 3)]
    (folder / "mine.csv").write_text("\n".join(["width,depth,seen,mean,flops", *rows]))
    (folder / "mine.yaml").write_text(TABLE)
    (folder / "yours.yaml").write_text(TABLE.replace("name: mine", "name: yours"))


def prepare_weights() -> None:
    """In a prepared folder that is the working directory: a trained network, latencies and an official checkpoint."""
    assert (
        main(["train", "arch.yaml", "--data", "folder:images", "--epochs", "1", "--device", "cpu", "-o", "trained"])
        == 0
    )
    assert main(["latency", "--export", "records.json", "--storage", "twin.db"]) == 0
    torch.save(official_weights(), "weights.pth")


def official_weights() -> dict[str, torch.Tensor]:
    """Of a published network, under the names of its authors."""
    (layout, *_) = layouts_of("convnext_atto")
    state = build(load_architecture("convnext_atto")).state_dict()
    return {layout.official(name): tensor for name, tensor in state.items()}


def _write_images(folder: Path) -> None:
    for part in ("train", "val", "test"):
        for name in ("cat", "dog"):
            (folder / "images" / part / name).mkdir(parents=True)
            for index in range(4):
                Image.new("L", (8, 8), index).save(folder / "images" / part / name / f"{index}.png")
    (folder / "conflicts").mkdir()
    for name in ("cat1-dog1", "dog1-cat1"):
        Image.new("L", (8, 8), 9).save(folder / "conflicts" / f"{name}.png")


def stand_in(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Trainings, measurements and simulations are written down in place of being done; what is written down."""
    seen: list[Any] = []

    def noted(*given: Any, **named: Any) -> list[Any]:
        kept = {name: value for name, value in named.items() if name not in ("watch", "listen", "say", "progress")}
        seen.append((given, kept))
        return []

    def ending(*given: Any, **named: Any) -> None:
        noted(*given, **named)
        raise StudyStopped("as far as this goes")

    def in_this_process(*given: Any, jobs: int, **named: Any) -> Iterator[Any]:
        seen.append(jobs)
        for outcome in search_tables(*given, jobs=1, **named):
            yield replace(outcome, asking_seconds=0.0, seconds=0.0)

    def measured(architectures: Any, named: Any, task: Any, ledger: Any, **rest: Any) -> list[Found]:
        noted(architectures, named, task, **rest)
        return [Found(record=imagined(one, named, task), was_known=False) for one in architectures]

    monkeypatch.setattr("nas.search.launch.run_plan", ending)
    monkeypatch.setattr("nas.measure.latencies.latencies", measured)

    def trained(architecture: Any, *given: Any, **named: Any) -> Trained:
        noted(architecture, *given, **{name: value for name, value in named.items() if name != "place"})
        accuracy = {"accuracy": 0.5, "low": 0.4, "high": 0.6, "images": 9}
        return Trained(
            id=architecture.id,
            folder="out",
            files=(),
            seed=named["seed"],
            validation=accuracy,
            test=accuracy,
            curve=(1.0,),
            images_per_second=1.0,
            seconds=1.0,
        )

    def swept(source: SweepRun | RefinementRun, definition: Any, *given: Any, **named: Any) -> None:
        noted(source.sweep, definition, *given, **named)
        if source.sweep.kind is StudyKind.COMPARE:  # the others would go on to work of their own
            open_study(source.writer.ledger, source.writer.study, source.sweep.kind, definition)
            with InProcess(Work(epochs=2), workers=1) as executor:
                Driver(source, executor=executor).run("here:1")

    monkeypatch.setattr("nas.cli.sweeps.run_sweep", swept)
    monkeypatch.setattr("nas.cli.sweeps.ready_images", noted)
    monkeypatch.setattr("nas.api.full_training.train_to_folder", trained)
    monkeypatch.setattr("nas.search.simulation.apart.measure", noted)
    monkeypatch.setattr("nas.search.bench.many.search_tables", in_this_process)
    return seen


def imagined(architecture: Architecture, named: NamedProfile, task: Task) -> LatencyRecord:
    """A latency that nobody has measured."""
    key = LatencyKey(
        profile=named.id,
        resolution=task.resolution,
        channels=task.channels,
        classes=task.classes,
        device="here",
        runtime="one 1",
    )
    return LatencyRecord(
        architecture_id=architecture.id,
        key=key,
        profile_name=named.name,
        protocol=named.profile.canonical(),
        measured="2026-01-01T00:00:00",
        ms=1 + int(architecture.id, 16) % 7,
        low=1.0,
        high=7.0,
    )
