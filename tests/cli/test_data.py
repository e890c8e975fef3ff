"""What commands say about the data that they are given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from search_runs import make_definition
from small_studies import QUICK

from nas.cli.main import main
from nas.cli.preparing import ready_images
from nas.errors import DataError
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord
from nas.search.sweeps.comparison import Comparison, Entry
from nas.search.sweeps.trainings import open_study
from nas.task import Task
from nas.train.recipe import Recipe

CHECK = ("check", "--space", "tiny", "--budget", "30MFLOPs", "--epochs", "1", "--trials", "1")


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """train/, valid/ and test/ with 8 images each, two of them of another kind, and one that is damaged."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    root, shade = tmp_path / "images", 0
    for part in ("train", "valid", "test"):
        for name in ("cat", "dog"):
            (root / part / name).mkdir(parents=True)
            for index in range(4):
                shade += 5
                mode = "L" if (part, index) == ("train", 3) else "RGB"
                Image.new("RGB", (9, 7), (shade, 200, 10)).convert(mode).save(root / part / name / f"{index}.png")
    (root / "test" / "dog" / "bad.png").write_text("no image")
    return root


def test_check_counts_the_images_and_says_what_was_left_out(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CHECK, "--data", f"folder:{images}"]) == 2
    refused = capsys.readouterr()
    assert "test/dog/bad.png: cannot be read as an image" in refused.err
    assert (refused.out, "Traceback" in refused.err) == ("", False)
    assert main([*CHECK, "--data", f"folder:{images}?corrupt=skip", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert plan["images"] == {"train": 8, "validation": 8, "test": 8}
    assert [sentence.partition(":")[0] for sentence in plan["findings"]] == [
        "1 image left out",
        "2 images converted (2 of mode L)",
    ]


def test_findings_and_changes_are_seen_where_the_cache_is_warm(
    images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = f"folder:{images}?corrupt=skip"
    known = ready_images(reference, 4).fingerprint
    assert "bad.png" in capsys.readouterr().err
    (images / "test" / "dog" / "bad.png").unlink()
    assert ready_images(reference, 4, expected=known).fingerprint == known
    assert "bad.png" not in capsys.readouterr().err
    (images / "train" / "dog" / "0.png").unlink()
    with pytest.raises(DataError, match=r"have changed since they were trained on.* now 7 images to train on"):
        ready_images(reference, 4, expected=known)


def changed(images: Path) -> None:
    """One image goes, and its class with it is another one."""
    (images / "train" / "dog" / "0.png").unlink()


def begun_on(images: Path) -> str:
    """A ledger with a search and a comparison on these images, whose cache is warm; the reference of the images."""
    reference = f"folder:{images}?corrupt=skip"
    known = ready_images(reference, QUICK.stored_resolution)
    definition = make_definition(recipe=QUICK, data=reference, fingerprint=known.fingerprint)
    with Ledger.open("sqlite:///nas.db") as ledger:
        stored = {**definition.to_dict(), "trials": 3}
        ledger.create_study(StudyRecord(name="mine", kind=StudyKind.SEARCH, definition=stored, created="2026-01-01"))
        (network,) = definition.space.sample(1, definition.budget, seed=0)
        Path("arch.json").write_text(json.dumps(network.to_dict()))
        comparison = Comparison(
            name="compared", about="", entries=(Entry(architecture="arch.json"),), architectures=(network,),
            task=Task(), data=reference, fingerprint=known.fingerprint, recipe=Recipe(), seeds=3,
        )  # fmt: skip
        open_study(ledger, "compared", StudyKind.COMPARE, comparison.to_dict())
    return reference


@pytest.mark.parametrize(
    "words",
    [
        ["search", "--resume", "--study", "mine"],
        ["search", "--resume", "--study", "mine", "--data", "REFERENCE"],
        ["compare", "arch.json", "--study", "compared", "--data", "REFERENCE"],
    ],
    ids=" ".join,
)
def test_a_study_does_not_go_on_with_other_images(
    words: list[str], images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = begun_on(images)
    changed(images)
    capsys.readouterr()
    assert main([word.replace("REFERENCE", reference) for word in words]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "images, their labels or their split have changed" in said or "other images" in said
    assert "fingerprint" not in said


def test_images_that_were_moved_are_the_same_images(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun_on(images)
    moved = images.rename(images.with_name("moved"))
    words = ["search", "--resume", "--study", "mine", "--dry-run", "--data", f"folder:{moved}?corrupt=skip"]
    assert main(words) == 0
    assert main(["search", "--resume", "--study", "mine"]) == 2
    assert "no such file or folder" in capsys.readouterr().err
