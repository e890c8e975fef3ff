"""Arrays of a NumPy archive as mapped files, so that none has to fit in memory."""

from __future__ import annotations

import math
import shutil
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.data.files import cannot_read, is_hidden, open_regular, shown
from nas.errors import DataError
from nas.units import format_bytes

_LOCAL_HEADER = struct.Struct("<26xHH")  # lengths of the name and of the extra field, which the pixels follow
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_SYSTEM = "__MACOSX/"  # what the archiver of macOS puts beside every file


def array_names(path: Path) -> list[str]:
    """The names of the arrays in an archive; raises DataError where it is none."""
    with _opened(path) as (archive, _):
        names = [name for name in archive.namelist() if name.endswith(".npy")]
    return [name.removesuffix(".npy") for name in names if not (name.startswith(_SYSTEM) or is_hidden(name))]


def require_whole(path: Path) -> None:
    """Read all of an archive and compare its checksums; raises DataError where they differ."""
    with _opened(path) as (archive, _):
        packed = [member.file_size for member in archive.infolist() if member.compress_type != zipfile.ZIP_STORED]
        folder = tempfile.gettempdir()
        if sum(packed) > (room := shutil.disk_usage(folder).free):
            unpacked = f"{format_bytes(sum(packed))}, and {folder} has room for {format_bytes(room)}"
            raise DataError(f"{path}: unpacks to {unpacked}; save it with numpy.savez, which does not compress")
        damaged = archive.testzip()
    if damaged is not None:
        raise DataError(f"{path}: {shown(damaged)} is damaged (its checksum is another); make the file again")


def map_array(path: Path, name: str) -> NDArray[Any]:
    """An array of an archive, read-only; a compressed one is unpacked into a temporary file without a name.

    Raises:
        DataError: it holds Python objects, which only unpickling could read, or is of a form that is not known.
    """
    with _opened(path) as (archive, file):
        member = archive.getinfo(f"{name}.npy")
        if member.compress_type == zipfile.ZIP_STORED:
            file.seek(member.header_offset)
            file.seek(sum(_LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))), 1)
            return _mapped(file, member.file_size)
        with archive.open(member) as packed:
            _header(packed, member.file_size)  # before all of it is unpacked
        with tempfile.TemporaryFile() as unpacked, archive.open(member) as packed:
            shutil.copyfileobj(packed, unpacked)
            unpacked.seek(0)
            return _mapped(unpacked, member.file_size)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, BinaryIO]]:
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's, of headers that Python 2 wrote
            yield archive, file
    except DataError:
        raise
    except OSError as error:
        raise cannot_read(path, error) from error
    except Exception as error:  # encrypted members, unknown compression, headers of any kind: each raises its own
        raise DataError(f"{path}: cannot be read as an .npz archive ({shown(error)})") from error


class _Header(NamedTuple):
    """What stands before the numbers of an array: its shape, whether its columns come first, and its dtype."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]


def _header(file: IO[bytes], size: int) -> _Header:
    """Read a header; raises ValueError where the array is not plain numbers, or not of `size` bytes with its header."""
    begin = file.tell()
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"format {version[0]}.{version[1]}")
    header = _Header(*_HEADERS[version](file))
    if header.dtype.hasobject:
        raise ValueError("an array of Python objects; save it as numbers")
    if any(isinstance(side, bool) or side < 0 for side in header.shape):
        raise ValueError(f"an array of shape {header.shape}")
    if file.tell() - begin + math.prod(header.shape) * header.dtype.itemsize != size:
        raise ValueError(f"an array of shape {header.shape}, which is another size than the file has")
    return header


def _mapped(file: IO[bytes], size: int) -> NDArray[Any]:
    """The array that begins where a file is and has `size` bytes with its header."""
    shape, is_fortran, dtype = _header(file, size)
    if 0 in shape or dtype.itemsize == 0:
        return np.empty(shape, dtype)
    return np.memmap(file, dtype, "r", file.tell(), shape, "F" if is_fortran else "C")
