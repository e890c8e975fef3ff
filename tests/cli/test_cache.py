from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nas.cli.main import main
from nas.data import default_cache, load_data

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


def document(capsys: Capture, *arguments: str) -> Any:
    assert main(["cache", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_nothing_is_listed_at_first(capsys: Capture) -> None:
    found = document(capsys)
    assert (found["bytes"], found["entries"], found["removed"]) == (0, [], [])
    assert main(["cache"]) == 0
    assert "no resized images" in capsys.readouterr().out


@pytest.mark.slow
def test_entries_are_listed_and_pruned(capsys: Capture) -> None:
    small, large = (load_data("digits", resolution=side) for side in (8, 16))
    listed = document(capsys)
    assert [(entry["reference"], entry["resolution"]) for entry in listed["entries"]] == [("digits", 16), ("digits", 8)]
    (_, entry) = listed["entries"]
    assert entry["images"] == 1797
    assert entry["fingerprint"] == small.fingerprint
    assert (entry["in_use"], entry["complete"]) == (True, True)
    assert listed["bytes"] == sum(one["bytes"] for one in listed["entries"]) > 1797 * (8 * 8 + 16 * 16)

    assert document(capsys, "--prune")["removed"] == []  # both are mapped here
    del small
    assert [one["resolution"] for one in document(capsys, "--prune", "--limit", "500kB")["removed"]] == [8]
    assert main(["cache"]) == 0
    shown = capsys.readouterr().out
    assert "1,797" in shown
    assert "in use" in shown
    del large
    assert main(["cache", "--prune"]) == 0
    assert capsys.readouterr().out.startswith("removed 1 data set, ")
    assert sorted(path.name for path in default_cache().iterdir()) == ["images", "limit"]


@pytest.mark.slow
def test_a_limit_is_kept(capsys: Capture) -> None:
    assert document(capsys)["limit"] == 50 * 10**9
    assert document(capsys, "--limit", "500kB")["limit"] == 500_000
    assert document(capsys)["limit"] == 500_000
    assert not load_data("digits", resolution=8).train.is_streamed
    assert load_data("digits", resolution=32).train.is_streamed
    assert main(["cache", "--prune", "--limit", "much"]) == 2
    assert "cannot read 'much' as a size" in capsys.readouterr().err


def test_the_cache_is_where_the_user_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def folder(*words: str) -> Path:
        assert main([*words, "cache", "--json"]) == 0
        return Path(json.loads(capsys.readouterr().out)["folder"])

    monkeypatch.delenv("NAS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert folder() == Path.home() / ".cache/nas"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder() == tmp_path / "nas"
    monkeypatch.setenv("NAS_CACHE", str(tmp_path / "mine"))
    assert folder() == tmp_path / "mine"
    assert folder("--cache", str(tmp_path / "once")) == tmp_path / "once"
