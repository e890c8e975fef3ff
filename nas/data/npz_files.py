"""Arrays of a NumPy archive as mapped files, so that none has to fit in memory."""

from __future__ import annotations

import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nas.data.filesource import cannot_read
from nas.errors import DataError

_LOCAL_HEADER = struct.Struct("<26xHH")  # lengths of the name and of the extra field, which the pixels follow
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def array_names(path: Path) -> list[str]:
    """The names of the arrays in an archive; raises DataError where it is none."""
    with _opened(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def require_whole(path: Path) -> None:
    """Read all of an archive and compare its checksums; raises DataError where they differ."""
    with _opened(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise DataError(f"{path}: {damaged} is damaged (its checksum is another); make the file again")


def map_array(path: Path, name: str) -> NDArray[Any]:
    """An array of an archive, read-only; a compressed one is unpacked into a temporary file without a name.

    Raises:
        DataError: it holds Python objects, which only unpickling could read, or is of a form that is not known.
    """
    with _opened(path) as archive, path.open("rb") as file:
        member = archive.getinfo(f"{name}.npy")
        if member.compress_type == zipfile.ZIP_STORED:
            file.seek(member.header_offset)
            file.seek(sum(_LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))), 1)
            return _mapped(file)
        with tempfile.TemporaryFile() as unpacked, archive.open(member) as packed:
            shutil.copyfileobj(packed, unpacked)
            unpacked.seek(0)
            return _mapped(unpacked)


# An encrypted member is a RuntimeError, a compression that is not known a NotImplementedError, which is one, too.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, struct.error, RuntimeError)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except _UNREADABLE as error:
        raise DataError(f"{path}: cannot be read as an .npz archive ({error})") from error
    except OSError as error:
        raise cannot_read(path, error) from error


def _mapped(file: IO[bytes]) -> NDArray[Any]:
    """The array that begins where a file is."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"format {version[0]}.{version[1]}")
    shape, is_fortran, dtype = _HEADERS[version](file)
    if dtype.hasobject:
        raise ValueError("an array of Python objects; save it as numbers")
    if 0 in shape:
        return np.empty(shape, dtype)
    return np.memmap(file, dtype, "r", file.tell(), shape, "F" if is_fortran else "C")
