"""Files and folders that appear whole or not at all, whoever else writes them and whenever the power fails."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """The name of a temporary file beside `path`, to be written in the block.

    It takes the place of `path` when the block ends well, and is removed otherwise.

    Raises:
        OSError: it cannot be written, or `path` is a device or a pipe, whose place nothing must take (`/dev/null`).
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "is a device or a pipe, not a file", str(path))
    temporary = _beside(path)
    try:
        with _named(path):
            yield temporary
            _sync(temporary)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """An empty temporary folder beside `path`, to be filled with files in the block.

    It becomes `path` when the block ends well, unless there is a `path` by then: the faster writer wins.
    """
    temporary = _beside(path)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.iterdir():
            _sync(file)
        try:
            temporary.rename(path)
        except OSError:
            if not path.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    _sync(path.parent)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error say which file it is about: a write to a full disk does not."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


def _beside(path: Path) -> Path:
    if not path.name:  # as of "." and "/"
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    # Not `tempfile`: its files are readable by their owner alone, and a cluster shares caches and weights.
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
