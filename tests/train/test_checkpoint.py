from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest
import torch
from hypothesis import given, strategies as st

from nas.errors import UserError
from nas.records import EvaluationKey
from nas.train.checkpoint import (
    checkpoint_name,
    prune_checkpoints,
    read_checkpoint,
    remove_checkpoint,
    require_place,
    write_checkpoint,
)

KEY = EvaluationKey(architecture_id="a", recipe="r", fingerprint="d", seed=3)
STATE: dict[str, Any] = {"step": 7, "model": {"w": torch.arange(12.0).view(3, 4)}, "average": None}


@pytest.fixture(params=["path", "file", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    folder = {"path": f"{tmp_path}/some where", "file": f"file://{tmp_path}/other", "memory": f"memory://{tmp_path}"}
    return f"{folder[request.param]}/{checkpoint_name(KEY)}"


def test_what_is_written_is_read(place: str) -> None:
    assert read_checkpoint(place, KEY) is None
    write_checkpoint(place, KEY, STATE)
    found = read_checkpoint(place, replace(KEY, rung=2))
    assert found is not None
    assert torch.equal(found["model"]["w"], STATE["model"]["w"])
    assert (found["step"], found["average"]) == (7, None)
    write_checkpoint(place, KEY, {**STATE, "step": 8})
    again = read_checkpoint(place, KEY)
    assert again is not None
    assert again["step"] == 8


def test_no_temporary_file_is_left(place: str) -> None:
    write_checkpoint(place, KEY, STATE)
    system, path = fsspec.url_to_fs(place)
    assert [one.rpartition("/")[2] for one in system.ls(path.rpartition("/")[0], detail=False)] == [
        checkpoint_name(KEY)
    ]


def test_another_trainings_checkpoint_is_none(place: str) -> None:
    write_checkpoint(place, KEY, STATE)
    assert read_checkpoint(place, replace(KEY, seed=4)) is None


def test_it_can_be_removed_twice(place: str) -> None:
    write_checkpoint(place, KEY, STATE)
    remove_checkpoint(place)
    remove_checkpoint(place)
    assert read_checkpoint(place, KEY) is None


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("checkpoint") / "whole.ckpt"
    write_checkpoint(str(path), KEY, STATE)
    return path.read_bytes()


@given(data=st.data())
def test_a_truncated_one_is_none(tmp_path_factory: pytest.TempPathFactory, whole: bytes, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("cut") / "cut.ckpt"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert read_checkpoint(str(path), KEY) is None


@given(data=st.data())
def test_an_altered_one_is_none(tmp_path_factory: pytest.TempPathFactory, whole: bytes, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("altered") / "altered.ckpt"
    place = data.draw(st.integers(0, len(whole) - 1))
    altered = bytearray(whole)
    altered[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(altered)
    assert read_checkpoint(str(path), KEY) is None


def test_pruning_keeps_what_it_is_told(tmp_path: Path) -> None:
    for seed in range(4):
        key = replace(KEY, seed=seed)
        write_checkpoint(f"{tmp_path}/{checkpoint_name(key)}", key, STATE)
    (tmp_path / "notes.txt").write_text("mine")
    keep = {checkpoint_name(replace(KEY, seed=2))}
    assert prune_checkpoints(str(tmp_path), keep) == 3
    assert {path.name for path in tmp_path.iterdir()} == keep | {"notes.txt"}
    assert prune_checkpoints(f"{tmp_path}/nowhere", set()) == 0


@pytest.mark.parametrize("folder", ["/proc/nothing/here", "nosuchprotocol://bucket/x"])
def test_an_impossible_place_is_refused_in_words(folder: str) -> None:
    with pytest.raises(UserError, match="checkpoints cannot be written"):
        require_place(folder)
