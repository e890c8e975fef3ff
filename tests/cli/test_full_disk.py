"""A full disk, by a limit to the size of files: one message, nothing half-written, and the next run is right."""

from __future__ import annotations

import json
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
import torch
from option_place import official_weights, prepare

from nas.cli.main import main

Capture = pytest.CaptureFixture[str]

COMMANDS = {
    "cache": ["check", "tiny", "--budget", "5MFLOPs", "--data", "folder:images", "--epochs", "1", "--trials", "1"],
    "train": ["train", "arch.yaml", "--data", "digits", "--epochs", "1", "--resolution", "8", "-o", "out"],
    "import": ["import", "weights.pth", "--preset", "convnext_atto", "-o", "out"],
    "export": ["export", "arch.yaml", "-o", "out"],
    "export python": ["export", "arch.yaml", "--format", "python", "-o", "out"],
    "export torchscript": ["export", "arch.yaml", "--format", "torchscript", "-o", "out"],
    "export torch-export": ["export", "arch.yaml", "--format", "torch-export", "-o", "out"],
    "export onnx": ["export", "arch.yaml", "--format", "onnx", "-o", "out"],
    "export study": ["export", "mine", "--best", "-o", "out"],
    "report": ["report", "mine", "-o", "out.html"],
    "sample": ["sample", "tiny", "--budget", "5MFLOPs", "-n", "3", "-o", "out"],
    "erf": ["erf", "arch.yaml", "-n", "1", "-o", "out.png"],
    "shrink": ["shrink", "searched", "-o", "out.yaml"],
    "pareto": ["pareto", "mine", "--plot", "out.svg"],
    "copy": ["studies", "mine", "--copy-to", "sqlite:///out.db"],
    "table": ["compare", "arch.yaml", "--data", "digits", "--recipe", "quick.yaml", "-o", "out.md"],
}
QUICK = ("sample",)
ROOM = (0, 1, 200, 4_000, 12_000, 40_000, 150_000, 600_000, 3_000_000)
"""Bytes that the largest file may have."""
STILL = "is being driven"
"""What a study says for half a minute after a driver that had no room to write that it has ended."""


@pytest.fixture(scope="module")
def prepared(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare(folder, whole)
    (folder / "quick.yaml").write_text("epochs: 1\nresolution: 8\ndata_share: 0.05\n")
    return folder


@pytest.fixture
def place(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for one in prepared.iterdir():
        (shutil.copytree if one.is_dir() else shutil.copy)(one, tmp_path / one.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NAS_CACHE", str(tmp_path / "cache"))
    return tmp_path


@contextmanager
def room(size: int) -> Iterator[None]:
    """No file may become larger than so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def left(place: Path) -> set[str]:
    """What is there, but for memories, and ledgers: they are whole at any moment, empty ones too."""
    found = (str(path.relative_to(place)) for path in place.rglob("*"))
    return {
        one for one in found if not one.startswith((".cache", "cache", "nas.db", "out.db", ".matplotlib", ".config"))
    }


def try_with(size: int, words: list[str], place: Path, capsys: Capture) -> bool:
    """Whether a command has done its work in so much room; if not, nothing is left of it, and it has said why."""
    before = left(place)
    said = STILL
    while STILL in said:
        with room(size):
            code = main(words)
        said = capsys.readouterr().err
        time.sleep(5 * (STILL in said))
    assert "Traceback" not in said
    if code == 0:
        return True
    assert code == 2, said
    assert said.count("error: ") == 1, said
    assert any(word in said for word in ("File too large", "no room", "disk is full", "No space", "free space")), said
    assert left(place) <= before, said
    assert not list((place / "cache").glob("images/*-v*/labels.npy")) or words[0] != "check"
    return False


def run_through(name: str, place: Path, capsys: Capture) -> None:
    words = COMMANDS[name]
    if "digits" in words or "mine" in words:
        import_module("sklearn.datasets")  # which tries whether it can make semaphores, and warns where it cannot
    for size in ROOM:
        if try_with(size, words, place, capsys):
            break
    else:
        assert main(words) == 0
    capsys.readouterr()
    if name != "table":
        assert main([*words, *(["--force"] if name in ("sample",) else [])]) in (0, 2)  # it is whole, or in the way
    capsys.readouterr()


@pytest.mark.parametrize("name", QUICK)
def test_nothing_is_half_written_where_the_disk_is_full(name: str, place: Path, capsys: Capture) -> None:
    run_through(name, place, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in (*QUICK, "import")])
def test_every_command_that_writes_survives_a_full_disk(name: str, place: Path, capsys: Capture) -> None:
    run_through(name, place, capsys)


@pytest.mark.slow
def test_an_import_survives_a_full_disk(place: Path, capsys: Capture) -> None:
    torch.save(official_weights(), "weights.pth")
    run_through("import", place, capsys)


@pytest.mark.slow
def test_a_training_that_met_a_full_disk_ends_as_one_that_did_not(place: Path, capsys: Capture) -> None:
    words = COMMANDS["train"]
    for size in (4_000, 12_000):
        assert not try_with(size, words, place, capsys)
    assert main(words) == 0
    assert main([*words[:-1], "alone"]) == 0
    disturbed, alone = (json.loads((place / name / "model.json").read_text()) for name in ("out", "alone"))
    assert disturbed["test"] == alone["test"]
    assert (place / "out/weights.safetensors").read_bytes() == (place / "alone/weights.safetensors").read_bytes()
