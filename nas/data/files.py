"""Files and folders as sources read them.

Only regular files are opened: a named pipe would wait for a writer that never comes, and a device has no end. Links are
followed, but never in circles. What operating systems leave in folders is no part of a data set.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nas.errors import DataError
from nas.units import format_bytes

MAX_IMAGE_BYTES = 2**30
"""Of one image file. The largest image that Pillow takes, 179 million pixels, fills as much without compression."""

_SYSTEM_FILES = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini"})
_SHOWN = 120
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class FileError(DataError):
    """One file or folder that cannot be read.

    Attributes:
        reason: what is wrong with it, without its path.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"{shown(path)}: {reason}; repair it, or move it elsewhere")
        self.reason = reason


def shown(text: object, limit: int = _SHOWN) -> str:
    """A name as a message has it: on one line, control characters escaped, the middle of a long one left out."""
    plain = "".join(one if one.isprintable() else one.encode("unicode_escape", "replace").decode() for one in str(text))
    return plain if len(plain) <= limit else f"{plain[: limit // 2]}...{plain[-limit // 3 :]}"


def cannot_read(path: str | Path, error: Exception) -> FileError:
    """The error about a file or folder that the system does not let us read."""
    return FileError(path, f"cannot be read ({getattr(error, 'strerror', None) or error})")


def is_hidden(name: str) -> bool:
    """Whether people do not see the file: it begins with a dot, as `.DS_Store` and the `._*` of macOS."""
    return name.startswith(".")


def is_left_by_system(name: str) -> bool:
    """Whether an operating system put the file or folder there for itself, and people may see it."""
    return name.lower() in _SYSTEM_FILES


def open_regular(path: str | Path) -> BinaryIO:
    """A regular file, or a link to one, opened to read; raises FileError at once where it is anything else."""
    try:
        _require_regular(path, os.stat(path).st_mode)  # first, since opening a device may already do something
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe may have taken its place
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise cannot_read(path, error) from error
    try:
        _require_regular(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def require_regular(path: str | Path) -> None:
    """Raise FileError where a path is no regular file, or a link to one."""
    open_regular(path).close()


def read_file(path: str | Path, *, limit: int = MAX_IMAGE_BYTES) -> bytes:
    """A whole file; raises FileError where it cannot be read, or has more than `limit` bytes."""
    with open_regular(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise FileError(path, f"has {format_bytes(size)}, and at most {format_bytes(limit)} are read")
            return file.read(limit)
        except OSError as error:
            raise cannot_read(path, error) from error


def stamp_of(paths: Iterable[str | Path]) -> str:
    """Changes whenever one of these files or folders may have: over names, sizes, times, and what is missing."""
    stamp = sha256()
    for path in paths:
        try:
            status = os.stat(path)
            # The time of the last change of the entry as well, since a copy can keep that of the content.
            seen = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
        except (OSError, ValueError) as error:
            seen = str(getattr(error, "errno", error))
        stamp.update(f"{path} {seen}\n".encode(errors="surrogateescape"))
    return stamp.hexdigest()


class Listed(NamedTuple):
    """What is in a folder, by name, sorted; hidden entries are left out.

    Attributes:
        folders: folders, and links to some.
        files: everything else, also what cannot be read.
        system: what an operating system has put there.
    """

    folders: list[str]
    files: list[str]
    system: list[str]


def listed(path: str | Path) -> Listed:
    """List a folder; raises FileError where that is not allowed, or it is none."""
    found = Listed([], [], [])
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not is_hidden(entry.name):
                    _place(found, entry).append(entry.name)
    except (OSError, ValueError) as error:
        raise FileError(path, f"cannot be listed ({getattr(error, 'strerror', None) or error})") from error
    for names in found:
        names.sort()
    return found


@dataclass(slots=True)
class Below:
    """All files below a folder.

    Attributes:
        files: by their paths from the folder, with '/'; sorted.
        folders: likewise.
        system: what operating systems have put there, likewise.
    """

    files: list[str]
    folders: list[str]
    system: list[str]


def below(path: str | Path, *, skip_circles: bool = False) -> Below:
    """List a folder and those in it; links are followed.

    Raises:
        FileError: a folder cannot be listed, or a link leads to a folder around it and `skip_circles` is not set.
    """
    found = Below([], [], [])
    waiting: list[tuple[str, str, frozenset[tuple[int, int]]]] = [(str(path), "", frozenset())]
    while waiting:
        folder, prefix, around = waiting.pop()
        here = listed(folder)
        identity = _identity(folder)
        if identity in around:
            if skip_circles:
                continue
            raise FileError(folder, "is a link to a folder that it is in")
        found.files += [prefix + name for name in here.files]
        found.system += [prefix + name for name in here.system]
        found.folders += [prefix + name for name in here.folders]
        waiting += [(f"{folder}/{name}", f"{prefix}{name}/", around | {identity}) for name in here.folders]
    for names in (found.files, found.folders, found.system):
        names.sort()
    return found


def _identity(folder: str) -> tuple[int, int]:
    try:
        status = os.stat(folder)
    except OSError as error:
        raise cannot_read(folder, error) from error
    return status.st_dev, status.st_ino


def _place(found: Listed, entry: os.DirEntry[str]) -> list[str]:
    if is_left_by_system(entry.name):
        return found.system
    try:
        return found.folders if entry.is_dir() else found.files
    except OSError:  # a link that leads nowhere, or where we may not look
        return found.files


def _require_regular(path: str | Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "something else")
        raise FileError(path, f"is {kind}, not a file")


def first_few(names: Iterable[str], count: int = 5) -> str:
    """The first names, for a message, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - count:,} more" if len(every) > count else ""
    return ", ".join(map(shown, every[:count])) + more
