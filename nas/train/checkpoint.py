"""Trainings put aside: files, or objects behind an fsspec URL, that are whole or are not there.

A checkpoint begins with a mark, its length and the SHA-256 of its content. What was cut off, altered or written by
another version is not a checkpoint, and the training it was of begins anew; that costs time, never a wrong result.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import fsspec
import torch

from nas.data.atomic import new_file
from nas.errors import UserError
from nas.records import EvaluationKey

_MARK = b"nas checkpoint 1\n"
_HEADER = struct.Struct(">Q32s")


def checkpoint_name(key: EvaluationKey) -> str:
    """The file of a training: the same for all its rungs, so that a later state takes the place of an earlier one."""
    return f"{key.architecture_id}-{key.recipe}-{key.fingerprint}-{key.seed}.ckpt"


def write_checkpoint(place: str, key: EvaluationKey, state: Mapping[str, Any]) -> None:
    """Write a training's state: temporary file, fsync, rename; an object store takes an upload whole anyway.

    Args:
        place: a path or an fsspec URL.
        key: which training; its rung does not matter.
        state: as `Training.state_dict` gives it.

    Raises:
        OSError: no room, or the place cannot be reached.
    """
    buffer = io.BytesIO()
    torch.save({"key": _identity(key), "state": dict(state)}, buffer)
    content = buffer.getbuffer()
    header = _MARK + _HEADER.pack(len(content), sha256(content).digest())
    if not _is_url(place):
        with new_file(Path(place)) as temporary, temporary.open("wb") as file:
            file.write(header)
            file.write(content)
        return
    system, path = fsspec.url_to_fs(place)
    system.makedirs(path.rpartition("/")[0], exist_ok=True)
    temporary_path = f"{path}.{sha256(header).hexdigest()[:8]}.part"
    with system.open(temporary_path, "wb") as file:
        file.write(header)
        file.write(content)
    system.mv(temporary_path, path)


def read_checkpoint(place: str, key: EvaluationKey, device: torch.device | str = "cpu") -> dict[str, Any] | None:
    """The state that `write_checkpoint` put there; None if there is none, or it is damaged or another training's.

    Raises:
        OSError: the place cannot be reached.
    """
    try:
        system, path = fsspec.url_to_fs(place)
        with system.open(path, "rb") as file:
            raw = file.read()
    except FileNotFoundError:
        return None
    content = _verified(raw)
    if content is None:
        return None
    found: dict[str, Any] = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
    return found["state"] if found["key"] == _identity(key) else None


def remove_checkpoint(place: str) -> None:
    """Remove a checkpoint, if there is one, or the folder of one."""
    system, path = fsspec.url_to_fs(place)
    if system.exists(path):
        system.rm(path, recursive=True)


def prune_checkpoints(folder: str, keep: set[str]) -> int:
    """Remove the checkpoints in a folder whose names are not in `keep`; returns how many there were."""
    system, path = fsspec.url_to_fs(folder)
    if not system.exists(path):
        return 0
    superfluous = [one for one in system.glob(f"{path}/*.ckpt") if one.rpartition("/")[2] not in keep]
    for one in superfluous:
        system.rm(one, recursive=True)
    return len(superfluous)


def require_place(folder: str) -> None:
    """Check that checkpoints can be written to a folder before anything is paid for; raises UserError."""
    try:
        system, path = fsspec.url_to_fs(folder)
        system.makedirs(path, exist_ok=True)
    except (OSError, ValueError, ImportError) as error:
        raise UserError(f"{folder}: checkpoints cannot be written there: {error}") from None


def _verified(raw: bytes) -> bytes | None:
    start = len(_MARK) + _HEADER.size
    if not raw.startswith(_MARK) or len(raw) < start:
        return None
    length, digest = _HEADER.unpack(raw[len(_MARK) : start])
    content = raw[start:]
    return content if len(content) == length and sha256(content).digest() == digest else None


def _identity(key: EvaluationKey) -> dict[str, Any]:
    return {name: value for name, value in key.to_dict().items() if name != "rung"}


def _is_url(place: str) -> bool:
    return "://" in place
