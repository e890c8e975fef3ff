from __future__ import annotations

import builtins
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import python2_pickles as python2
from hypothesis import given, strategies as st

from nas.data.pickled import read_pickled_dict
from nas.errors import DataError

PLAIN = {b"data": np.arange(12, dtype=np.uint8).reshape(4, 3), b"labels": [0, 1, 2, 300], b"batch_label": b"first"}


def test_what_python_2_wrote_is_read_as_pickle_reads_it() -> None:
    content = python2.dumps(PLAIN)
    ours, theirs = read_pickled_dict(content), pickle.loads(content, encoding="bytes")
    assert list(ours) == [key.decode() for key in theirs] == ["data", "labels", "batch_label"]
    np.testing.assert_array_equal(ours["data"], theirs[b"data"])
    assert ours["data"].dtype == theirs[b"data"].dtype == np.uint8
    assert (ours["labels"], ours["batch_label"]) == (theirs[b"labels"], theirs[b"batch_label"])


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_python_3_writes_is_read(protocol: int, order: str) -> None:
    array = np.asarray(PLAIN[b"data"], order=order)
    found = read_pickled_dict(pickle.dumps({"data": array, "labels": [1]}, protocol))
    np.testing.assert_array_equal(found["data"], array)
    assert found["labels"] == [1]


class Calls:
    """Calls something when it is unpickled."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self._function, self._arguments = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self._function, self._arguments


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "function", [os.mkdir, builtins.eval, builtins.getattr, np.load, Path], ids=lambda one: one.__name__
)
def test_nothing_that_a_file_asks_for_is_run(function: Any, protocol: int, tmp_path: Path) -> None:
    argument = str(tmp_path / "made") if function is os.mkdir else "1"
    content = pickle.dumps({b"data": Calls(function, argument)}, protocol)
    with pytest.raises(DataError, match=r"asks for .*, which plain data has no use for"):
        read_pickled_dict(content)
    assert not list(tmp_path.iterdir())


def test_old_opcodes_that_name_things_are_refused_too(tmp_path: Path) -> None:
    made = str(tmp_path / "made").encode()
    for content in (b"(V" + made + b"\nios\nmkdir\n.", b"(cos\nmkdir\nV" + made + b"\no.", b"\x82\x01.", b"Pname\n."):
        with pytest.raises(DataError):
            read_pickled_dict(content)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "thing", [[1], {b"data": np.arange(3.0)}, {b"data": np.array([{}], dtype=object)}, 7], ids=repr
)
def test_other_things_are_refused(thing: object) -> None:
    with pytest.raises(DataError, match=r"not a dict|other numbers than bytes"):
        read_pickled_dict(pickle.dumps(thing, 2))


@given(st.data())
def test_damage_is_an_error_of_the_data(data: st.DataObject) -> None:
    content = bytearray(python2.dumps(PLAIN))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_pickled_dict(bytes(content[: data.draw(st.integers(0, len(content)))]))
    except DataError:
        return
    assert isinstance(found, dict)
