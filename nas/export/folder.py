"""The folder that `-o` names: it appears whole, and nothing else is written over by accident."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nas.errors import UserError
from nas.space.references import ABOUT

ARCHITECTURE, WEIGHTS = "architecture.yaml", "weights.safetensors"


def require_folder(folder: Path) -> None:
    """Make a folder that can be written, before anything is paid for that should go there.

    Raises:
        UserError: it cannot be made or written.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file; name a folder with -o")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "permission denied")
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {error.strerror or error}") from None


def require_free(folder: Path, place: Path | None = None, *, force: bool) -> None:
    """Refuse to write onto something else than the same network with the same weights.

    Args:
        folder: to be written.
        place: holds what will be written; None where it is not there yet, and only what is no export is refused.
        force: refuse nothing but what is no folder.

    Raises:
        UserError: it holds something else.
    """
    if force or not is_used(folder):
        return
    same = (folder / ABOUT).is_file()
    if same and place is not None:
        same = (folder / WEIGHTS).is_file() and (folder / WEIGHTS).read_bytes() == (place / WEIGHTS).read_bytes()
    if not same:
        raise held(folder, "other weights" if (folder / ABOUT).is_file() else "something else")


def is_used(folder: Path) -> bool:
    """Whether there is something in it."""
    return folder.is_dir() and any(folder.iterdir())


def held(folder: Path, what: str) -> UserError:
    """The error of a folder that holds something else."""
    return UserError(f"{folder}: holds {what}; name another folder with -o, or say --force to write over it")


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """An empty folder on the same disk, gone after the block: beside the folder, or in it where only that is ours."""
    parent = folder.parent
    if folder.is_dir() and not os.access(parent, os.W_OK | os.X_OK):
        parent = folder
    require_folder(parent)
    place = parent / f".{folder.name}.{os.getpid()}-{secrets.token_hex(4)}"
    try:
        place.mkdir()
        yield place
    except UserError as error:
        if type(error) is UserError and str(place) in str(error):  # of the folder that was named, as far as people know
            raise UserError(str(error).replace(str(place), str(folder))) from error
        raise
    finally:
        shutil.rmtree(place, ignore_errors=True)


def move(place: Path, folder: Path) -> None:
    """Put everything where it belongs, file by file, what is there already replaced."""
    require_folder(folder)
    for file in sorted(path for path in place.rglob("*") if path.is_file()):
        target = folder / file.relative_to(place)
        target.parent.mkdir(exist_ok=True)
        file.replace(target)


@contextmanager
def whole(folder: Path, *, force: bool) -> Iterator[Path]:
    """An empty folder to be filled with a bundle in the block, which is put into `folder` when the block ends well.

    Raises:
        UserError: `folder` holds something else than the same weights, or cannot be written.
    """
    require_free(folder, force=force)
    with beside(folder) as place:
        yield place
        require_free(folder, place, force=force)
        move(place, folder)
