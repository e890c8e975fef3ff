"""Files that are wrong in thousands of places: the first ones are shown, the others counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nas.schema.problems import SchemaError
from nas.search.definition import read_study_file
from nas.space import load_architecture, load_space
from nas.train.recipe import load_recipe

READERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "study": (read_study_file, ""),
    "space": (lambda path: load_space(str(path)), ""),
    "architecture": (lambda path: load_architecture(str(path)), ""),
    "recipe": (lambda path: load_recipe(str(path)), ""),
    "task": (lambda path: load_space(str(path)), "task:\n  resolution: 32\n"),
    "stages": (lambda path: load_space(str(path)), "stages:\n  depth: [1, 1]\n"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("count", [30, pytest.param(20_000, marks=pytest.mark.slow)])
def test_wrong_keys_are_shown_up_to_twenty_and_counted(reader: str, count: int, tmp_path: Path) -> None:
    read, before = READERS[reader]
    indent = "  " if before else ""
    path = tmp_path / "wrong.yaml"
    path.write_text(before + "".join(f"{indent}wrong_{number}: {number}\n" for number in range(count)))
    with pytest.raises(SchemaError) as caught:
        read(path)
    *shown, last = str(caught.value).splitlines()
    assert len(caught.value.problems) == 20
    assert sum(line.startswith(f"{path}:") for line in shown) == 20
    assert last.startswith(f"{path}: and ")
    assert last.endswith(" more problems")
    assert abs(int(last.split(" and ")[1].split()[0].replace(",", "")) - (count - 20)) <= 6  # keys that are missing


@pytest.mark.parametrize("reader", READERS)
def test_a_long_key_and_a_long_number_are_shortened(reader: str, tmp_path: Path) -> None:
    read, before = READERS[reader]
    indent = "  " if before else ""
    path = tmp_path / "wrong.yaml"
    path.write_text(f"{before}{indent}? {'k' * 200_000}\n{indent}: 1\n{indent}seed: {'9' * 5000}\n")
    with pytest.raises(SchemaError) as caught:
        read(path)
    assert max(map(len, str(caught.value).splitlines())) < 1000
