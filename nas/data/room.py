"""Room in the cache: what is there, who uses it, and what may go.

Every entry has a lock file beside it which each process that maps the entry holds together with others, and whose time
is that of the last use. Who can hold it alone may delete the entry. (A mapping would survive that on a local disk, but
take room that nobody counts.)
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas.data.atomic import new_file

DEFAULT_LIMIT = 50 * 10**9
"""Bytes of resized images in one cache, unless `set_limit` says otherwise."""

_LIMIT = "limit"

META = "meta.json"

_MEMOS = ("listings", "descriptions", "statistics")
"""Folders of what is quickly found out again, but not at once."""


class NoRoomError(Exception):
    """The limit does not allow another entry of this size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one folder of the cache is.

    Attributes:
        path: of the folder.
        bytes: it takes.
        used: when it was last loaded, seconds since 1970.
        is_held: whether a process uses it, or is writing it.
        is_whole: whether it is a data set; otherwise it is being written, or was left behind by a writer that died.
        about: reference of the source that it was used for last ('' where that is not known), resolution and other
            facts of the data set; empty where they cannot be read.
    """

    path: Path
    bytes: int
    used: float
    is_held: bool
    is_whole: bool
    about: dict[str, Any]


def limit_of(cache: Path) -> int:
    """Bytes of resized images that a cache may hold."""
    try:
        return int((cache / _LIMIT).read_text())
    except (OSError, ValueError):
        return DEFAULT_LIMIT


def set_limit(cache: Path, limit: int) -> None:
    """Say how many bytes of resized images a cache may hold from now on; whatever does not fit is streamed."""
    cache.mkdir(parents=True, exist_ok=True)
    with new_file(cache / _LIMIT) as temporary:
        temporary.write_text(str(limit))


def images_folder(cache: Path) -> Path:
    """Where the entries are."""
    return cache / "images"


def entries(cache: Path) -> list[Entry]:
    """All of them, the least recently used first; what a dead writer left comes before everything else."""
    folder = images_folder(cache)
    found = [_entry(path) for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    return sorted(found, key=lambda entry: (entry.is_whole, entry.used))


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Let one process at a time fill the entry `folder`; the others wait."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _writers_lock(folder).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def hold(folder: Path, reference: str = "") -> ExitStack:
    """Keep the entry `folder` from being removed until the result is closed, and note that it was used.

    A `reference` is kept as that of the source for which it was used last. Where the cache is read-only nobody can
    remove anything, and nothing is held.
    """
    held = ExitStack()
    with suppress(OSError):
        file = held.enter_context(_users_lock(folder).open("a", errors="surrogateescape"))
        fcntl.flock(file, fcntl.LOCK_SH)
        os.utime(file.fileno())
        if reference:
            file.truncate(0)
            file.write(reference)
            file.flush()
    return held


@contextmanager
def room_for(cache: Path, needed: int, limit: int) -> Iterator[None]:
    """Make room for `needed` bytes, which are to be allocated in the block: one process at a time counts.

    The least recently used entries that no process holds are removed, but none if that would not be enough.

    Raises:
        NoRoomError: it would not be.
    """
    with (images_folder(cache) / ".room.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = entries(cache)
        if sum(entry.bytes for entry in found if entry.is_held) + needed > limit:
            raise NoRoomError
        _shrink(found, limit - needed)
        yield


def prune(cache: Path, *, limit: int = 0) -> list[Entry]:
    """Remove least recently used entries that no process holds until the rest takes at most `limit` bytes.

    Returns:
        What was removed.
    """
    return _shrink(entries(cache), limit)


def forget(cache: Path) -> None:
    """Remove everything else that is remembered about sources: it will be found out again where it is needed."""
    for name in _MEMOS:
        shutil.rmtree(cache / name, ignore_errors=True)


def _shrink(found: list[Entry], limit: int) -> list[Entry]:
    removed: list[Entry] = []
    total = sum(entry.bytes for entry in found)
    for entry in found:
        is_garbage = not (entry.is_whole or entry.is_held)
        if (is_garbage or total > limit) and _remove(entry.path):
            removed.append(entry)
            total -= entry.bytes
    return removed


def _remove(folder: Path) -> bool:
    """Delete an entry unless a process holds it."""
    with _alone(_guard(folder)) as is_free:
        if is_free:
            shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _entry(folder: Path) -> Entry:
    sizes = []
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # removed meanwhile
            sizes.append(file.stat().st_size)
    guard = _guard(folder)
    with _alone(guard) as is_free:
        is_held = not is_free
    return Entry(
        path=folder,
        bytes=sum(sizes),
        used=(guard if guard.exists() else folder).stat().st_mtime,
        is_held=is_held,
        is_whole=not _is_temporary(folder),
        about=_about(folder),
    )


def _about(folder: Path) -> dict[str, Any]:
    try:
        about = json.loads((folder / META).read_text())
    except (OSError, ValueError):
        return {}
    return {**about, "reference": _last_reference(folder)} if isinstance(about, dict) else {}


def _last_reference(folder: Path) -> str:
    try:
        return _users_lock(folder).read_text(errors="surrogateescape")
    except OSError:
        return ""


def _is_temporary(folder: Path) -> bool:
    """Whether this is what `atomic.new_folder` fills: `.ENTRY.SUFFIX`."""
    return folder.name.startswith(".")


def _guard(folder: Path) -> Path:
    """The lock of those that would mind if `folder` went."""
    if _is_temporary(folder):
        return _writers_lock(folder.with_name(folder.name.removeprefix(".").rpartition(".")[0]))
    return _users_lock(folder)


def _writers_lock(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def _users_lock(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.held")


@contextmanager
def _alone(lock: Path) -> Iterator[bool]:
    """Whether nobody else has `lock`; then nobody gets it during the block."""
    with ExitStack() as stack:
        try:
            if lock.exists():
                fcntl.flock(stack.enter_context(lock.open("a")), fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_free = True
        except OSError:  # held, or not ours to remove
            is_free = False
        yield is_free
