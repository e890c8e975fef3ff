"""Pickled dicts of plain data and byte arrays, read without running anything that a file asks for.

A pickle is a program that may call whatever it can name. This reader gives every name it knows to a stand-in of its
own and refuses all others, so that a file can build dicts, lists, numbers, strings and uint8 arrays and nothing else.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.data.files import shown
from nas.errors import DataError

_MALFORMED = (
    pickle.UnpicklingError, ArithmeticError, AttributeError, EOFError, ImportError, LookupError, MemoryError, TypeError,
    ValueError,
)  # fmt: skip
"""What the standard unpickler raises on bytes that are no pickle, or on one that misuses what it is given."""


def read_pickled_dict(content: bytes) -> dict[str, Any]:
    """The dict in a pickle, its keys as text.

    Python 2's strings are given as bytes, arrays as uint8.

    Args:
        content: the whole file.

    Raises:
        DataError: it is no pickle, holds something else than plain data and byte arrays, or is no dict.
    """
    try:
        _require_short_memo(content)
        found = _Reader(io.BytesIO(content), encoding="bytes").load()
        if not isinstance(found, dict):
            raise DataError(f"holds a {type(found).__name__}, not a dict")
        return {_text(key): value.array() if isinstance(value, _Array) else value for key, value in found.items()}
    except _MALFORMED as error:
        raise DataError(f"is no pickle of plain data ({shown(error, 200)})") from error


def _require_short_memo(content: bytes) -> None:
    """Raise ValueError where a pickle asks for memory of its own that its length does not account for.

    The standard unpickler makes room for as many objects as the largest number under which one is to be kept.
    """
    for before, (code, argument, _) in enumerate(pickletools.genops(content)):
        if code.name in ("PUT", "BINPUT", "LONG_BINPUT") and isinstance(argument, int) and argument > before + 1:
            raise ValueError(f"it numbers an object {argument:,} after {before:,} others at most")


class _Array:
    """Stands in for a numpy array while its pickle is read."""

    __slots__ = ("_state",)

    def __init__(self, *arguments: object) -> None:
        self._state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._state = state

    def array(self) -> NDArray[np.uint8]:
        _, shape, dtype, is_fortran, content = self._state
        if not (isinstance(dtype, _DType) and dtype.name in ("u1", b"u1")):
            raise DataError("holds an array of other numbers than bytes")
        return np.frombuffer(content, dtype=np.uint8).reshape(shape, order="F" if is_fortran else "C")


class _DType:
    """Stands in for a numpy dtype."""

    __slots__ = ("name",)

    def __init__(self, name: object, *arguments: object) -> None:
        self.name = name

    def __setstate__(self, state: object) -> None:
        """Byte order and the like, which bytes do not have."""


def _encoded(text: str, encoding: str) -> bytes:
    """How Python 3 pickles bytes under the old protocols."""
    return text.encode("latin1")


_CALLED: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "dtype"): _DType,
    ("_codecs", "encode"): _encoded,
}
_PASSED = {("numpy", "ndarray")}
"""Names that are only arguments."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PASSED:
            return None
        if (module, name) not in _CALLED:
            raise DataError(f"asks for {module}.{name}, which plain data has no use for")
        called = _CALLED[module, name]
        return lambda *arguments: called(*arguments)  # one of its own, since a pickle may set attributes of it


def _text(key: object) -> str:
    return key.decode("latin1") if isinstance(key, bytes) else str(key)
