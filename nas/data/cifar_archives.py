"""The archives that CIFAR-10 and CIFAR-100 are published in, read in place and no further than the largest goes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from nas.data.files import cannot_read, is_hidden, is_left_by_system, open_regular, shown
from nas.errors import DataError
from nas.units import format_bytes

MOST_BYTES = 200 * 10**6
"""In one file; CIFAR-100's train has 155 MB."""
_MOST_UNPACKED = 400 * 10**6
"""In an archive; the largest unpacks to 186 MB."""
_COMPRESSIONS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
"""What unpacks a file, by how it begins."""


def top_folder(path: Path) -> str:
    """The folder that everything in an archive is in, by its first entry; '' where it is empty. Raises DataError."""
    with _opened(path) as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts
            if parts and not _is_left_out(parts):
                return parts[0]
        return ""


def archived_files(path: Path, wanted: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The files of an archive that have these names, whatever folder they are in; no more is read than that takes."""
    missing = set(wanted)
    with _opened(path) as archive:
        while missing and (member := archive.next()) is not None:
            parts = PurePosixPath(member.name).parts
            name = parts[-1] if parts else ""
            if name not in wanted or _is_left_out(parts) or member.isdir():
                continue
            if not member.isreg():
                raise DataError(
                    f"{path}: {shown(member.name)} is no file of its own, but a link or a device; download it again"
                )
            if name not in missing:
                raise DataError(f"{path}: there are two files {name} in it; download it again")
            if member.size > MOST_BYTES:
                raise DataError(
                    f"{path}: {name} has {format_bytes(member.size)}, which no file of CIFAR has; download it again"
                )
            file = archive.extractfile(member)
            content = b"" if file is None else file.read()
            if len(content) < member.size:
                raise DataError(f"{path}: is no whole archive ({name} is cut short); download it again")
            missing.remove(name)
            yield name, content


def _is_left_out(parts: Sequence[str]) -> bool:
    return any(is_hidden(part) or is_left_by_system(part) for part in parts)


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with (
            open_regular(path) as file,
            _unpacked(file) as content,
            tarfile.open(fileobj=content, mode="r:") as archive,
        ):
            yield archive
    except DataError:
        raise
    except OSError as error:
        if error.strerror is None:  # gzip's own, about the content
            raise DataError(f"{path}: is no whole archive ({error}); download it again") from error
        raise cannot_read(path, error) from error
    except Exception as error:  # a damaged header leads tarfile anywhere
        raise DataError(f"{path}: is no whole archive ({shown(error)}); download it again") from error


@contextmanager
def _unpacked(file: BinaryIO) -> Iterator[IO[bytes]]:
    """An archive without its compression, as far as the largest of them goes."""
    magic = file.read(6)
    file.seek(0)
    opener = next((opener for start, opener in _COMPRESSIONS.items() if magic.startswith(start)), None)
    with io.BufferedReader(_Bounded(file if opener is None else opener(file))) as bounded:
        yield bounded


class _Bounded(io.RawIOBase):
    """The first bytes of a file that unpacks to who knows how many; whatever is asked beyond them is an error."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET:
            offset += self._file.tell()
        return self._file.seek(self._allowed(offset))

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any, /) -> int:
        content = self._file.read(len(buffer))
        self._allowed(self._file.tell())
        buffer[: len(content)] = content
        return len(content)

    def _allowed(self, place: int) -> int:
        if place > _MOST_UNPACKED:
            raise tarfile.ReadError(
                f"it unpacks to more than {format_bytes(_MOST_UNPACKED)}, which no archive of CIFAR does"
            )
        return place
