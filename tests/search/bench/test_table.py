from __future__ import annotations

import gzip
import random
from pathlib import Path

import numpy as np
import pytest
from search_tables import write_table

from nas.errors import DataError, UserError
from nas.search.bench.scores import FrontScore
from nas.search.bench.table import read_table
from nas.space.feasible import NOT_ASKED

REAL = Path(__file__).parents[4] / "shared" / "bench"
PACKAGED = Path(__file__).parents[3] / "studies" / "tables"


@pytest.mark.parametrize("file", ["small.csv", "small.csv.gz"])
def test_table_is_read_as_its_description_says(tmp_path: Path, file: str) -> None:
    table = read_table(write_table(tmp_path, file=file))
    assert len(table) == 24
    assert {name: one.options for name, one in table.dimensions.items()} == {
        "act": ("gelu", "relu"), "depth": (1, 2, 3, 4), "ops.0": ("0", "1"), "ops.1": ("0", "1"),
    }  # fmt: skip
    assert [one.is_ordered for one in table.dimensions.values()] == [False, True, False, False]
    assert table.codes[:5].tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 0, 1, 1], [0, 1, 0, 0]]
    assert table.seen.shape == (24, 2)
    assert table.true[:2] == pytest.approx([0.63, 0.64])
    assert table.cost == "flops"
    assert table.costs["params"][4] == 200
    assert table.fingerprint == read_table(write_table(tmp_path, file=file)).fingerprint


def test_numbers_are_ordered_as_numbers_and_gaps_are_no_answer(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("{name: t, file: t.csv, decisions: {k: ordered}, seen: a, costs: c}")
    (tmp_path / "t.csv").write_text("k,a,c\n10,0.5,1\n9,0.6,2\n,0.7,3\n2.5,0.1,4\n\n")
    table = read_table(tmp_path / "t.yaml")
    assert table.dimensions["k"].options == (2.5, 9, 10)
    assert table.codes[:, 0].tolist() == [2, 1, NOT_ASKED, 0]
    assert table.true.tolist() == [0.5, 0.6, 0.7, 0.1]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("k,a,c\n1,0.5\n", r"t.csv:2: 2 cells under 3 columns"),
        ("k,a,c\n1,high,1\n", r"t.csv:2: 'a' must be a number, got 'high'"),
        ("k,a,c\nx,0.5,1\n", r"'k' must be a number, got 'x'"),
        ("k,a,c\n1,0.5,0\n", r"t.csv:2: 'c' is not above 0"),
        ("k,a,c\n1,0.5,nan\n", r"t.csv:2: 'c' must be a number"),
        ("k,a,c\n1,-0.5,1\n", r"t.csv:2: an accuracy is outside 0 to 1"),
        ("k,a,c\n1,50,1\n2,120,1\n", r"t.csv:3: an accuracy is outside 0 to 100"),
        ("k,a,c\n1,0.5,1\n1,0.6,1\n", r"t.csv:3: has the decisions of line 2 again"),
        ("k,acc,c\n1,0.5,1\n", r"no column 'a'; known: k, acc, c"),
        ("k,a,c\n", r"no networks"),
        ("", r"is empty"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_line(content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("{name: t, file: t.csv, decisions: {k: ordered}, seen: a, costs: c}")
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(DataError, match=says):
        read_table(tmp_path / "t.yaml")


def test_what_is_wrong_with_a_description_is_listed(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("name: t\nfile: t.csv\ndecisions: {k: sorted}\nseen: a\ncost: c\n")
    with pytest.raises(UserError) as caught:
        read_table(tmp_path / "t.yaml")
    assert "t.yaml:3:16: decisions.k" in str(caught.value)
    assert "unknown key 'cost'; did you mean 'costs'?" in str(caught.value)


def test_rows_may_be_in_another_folder(tmp_path: Path) -> None:
    path = write_table(tmp_path)
    (tmp_path / "rows").mkdir()
    (tmp_path / "small.csv").rename(tmp_path / "rows" / "small.csv")
    assert len(read_table(path, tmp_path / "rows")) == 24
    with pytest.raises(DataError, match="--files names the folder"):
        read_table(path)


@pytest.mark.skipif(not REAL.is_dir(), reason="the published tables are not here")
@pytest.mark.parametrize(("name", "networks", "decisions"), [("macro-flops", 6561, 8), ("nb201-c100-flops", 15625, 6)])
def test_published_tables_are_read(name: str, networks: int, decisions: int) -> None:
    table = read_table(PACKAGED / f"{name}.yaml", REAL)
    assert table.codes.shape == (networks, decisions)
    assert 0.5 < np.median(table.true) < table.true.max() < 1


WHOLE = "k,ops,a,c\n" + "".join(f"{k},{k % 3}{k % 2},0.{k + 10},{k + 1}\n" for k in range(40))
SAYS = "{name: t, file: FILE, decisions: {k: ordered, ops: characters}, seen: a, costs: c}"


def damaged(content: bytes, rng: random.Random) -> bytes:
    """A file with something wrong in it: cut, overwritten, with parts twice, or with a cell that is something else."""
    kind = rng.randrange(5)
    place, other = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    if kind == 0:
        return content[:place]
    if kind == 1:
        return content[:place] + rng.randbytes(rng.randrange(1, 9)) + content[place + 3 :]
    if kind == 2:
        return content[:place] + content[place:other] * rng.randrange(2, 5) + content[other:]
    if kind == 3:
        cells = content.split(b",")
        wrong = (b"", b"nan", b"inf", b"-1", b"1e400", b"x", b'"', b"\0", b"9" * 400, b"\n", b"0")
        cells[rng.randrange(len(cells))] = rng.choice(wrong)
        return b",".join(cells)
    return content[:place] + content[other:]


def refusal_of(path: Path) -> str:
    """Why a table is refused; the name of its file where it is read, and can be searched."""
    try:
        table = read_table(path)
    except UserError as error:
        return str(error)
    assert np.isfinite(table.true).all()
    assert table.codes.shape == (len(table), len(table.dimensions))
    FrontScore.of(table)
    return next(path.parent.glob("t.csv*")).name


@pytest.mark.slow
@pytest.mark.parametrize("file", [pytest.param("t.csv", marks=pytest.mark.slow), "t.csv.gz"])
def test_a_damaged_table_is_read_or_refused_with_one_message(file: str, tmp_path: Path) -> None:
    rng = random.Random(file)
    (tmp_path / "t.yaml").write_text(SAYS.replace("FILE", file))
    whole = WHOLE.encode()
    refused = 0
    for _ in range(400):
        content = damaged(gzip.compress(whole) if file.endswith("gz") and rng.random() < 0.5 else whole, rng)
        if file.endswith("gz") and not content.startswith(b"\x1f\x8b"):
            content = gzip.compress(content)
        (tmp_path / file).write_bytes(content)
        refusal = refusal_of(tmp_path / "t.yaml")
        assert file in refusal
        refused += refusal != file
    assert refused > 100


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("k,a,c\n1,0.5,1\n", "nothing to search for"),
        ("k,a,c\n1,0.5,1\n2,0.5,1\n", "nothing to search for"),
        ("k,a,c\n,0.5,1\n,0.6,1\n", "'k' has 0 values"),
        ("k,a,a,c\n1,0.5,1,1\n", "those of several columns, such as 'a'"),
    ],
)
def test_a_table_that_no_search_could_tell_anything_of_is_refused(content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("{name: t, file: t.csv, decisions: {k: ordered}, seen: a, costs: c}")
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(DataError, match=says):
        read_table(tmp_path / "t.yaml")
