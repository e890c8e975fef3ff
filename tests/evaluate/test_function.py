"""Finding somebody's own training by its name, wherever it stands, and what makes two of them different ones."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nas.errors import UserError
from nas.evaluate.function import OF_FUNCTION, OF_MODULE, OF_SOURCE, find_function

TEXT = """
def score(architecture, *, job, report, lr=0.1, **more):
    return 0.5
"""


@pytest.fixture(autouse=True)
def _leave_no_trace() -> Iterator[None]:
    finders, path, modules = list(sys.meta_path), list(sys.path), set(sys.modules)
    yield
    sys.meta_path[:], sys.path[:] = finders, path
    for name in set(sys.modules) - modules:
        if name.startswith(("own_", "nas_evaluate_")):
            del sys.modules[name]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_train.py").write_text(TEXT)
    return tmp_path


@pytest.mark.parametrize("reference", ["own_train:score", "own_train.py:score"])
def test_a_module_or_a_file_of_the_working_directory_is_found(here: Path, reference: str) -> None:
    found = find_function(reference)
    assert found.code.load()(None, job=None, report=None) == 0.5
    assert (found.function.name, found.function.version_is) == ("own_train:score", OF_SOURCE)


def test_other_folders_come_first(here: Path) -> None:
    beside = here / "beside"
    beside.mkdir()
    (beside / "own_train.py").write_text(TEXT.replace("0.5", "0.6"))
    assert find_function("own_train.py:score", [beside]).code.load()(None, job=None, report=None) == 0.6
    assert find_function("own_train:score", [beside]).code.load()(None, job=None, report=None) == 0.6


def test_a_module_of_a_package_comes_with_the_package(here: Path) -> None:
    package = here / "own_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "half.py").write_text("HALF = 0.5\n")
    (package / "train.py").write_text("from .half import HALF\ndef score(a, *, job, report): return HALF\n")
    found = find_function("own_package.train:score")
    assert found.code.load()(None, job=None, report=None) == 0.5
    assert found.code.shipped is not None
    assert [one.name for one in found.code.shipped.texts] == ["own_package", "own_package.half", "own_package.train"]


def test_arguments_are_numbers_and_words(here: Path) -> None:
    found = find_function("own_train:score?lr=0.2&wide=true&name=a%20b&sizes=[1,2]")
    assert found.function.arguments == {"lr": 0.2, "wide": True, "name": "a b", "sizes": [1, 2]}


def test_a_changed_text_is_another_version_in_the_same_process(here: Path) -> None:
    before = find_function("own_train:score")
    (here / "own_train.py").write_text(TEXT.replace("0.5", "0.6"))
    after = find_function("own_train:score")
    assert before.function.version != after.function.version
    assert after.code.load()(None, job=None, report=None) == 0.6


@pytest.mark.parametrize(
    ("more", "version", "version_is"),
    [('__version__ = "3"', "3", OF_MODULE), ("__version__ = 3\nscore.__version__ = 4", "4", OF_FUNCTION)],
)
def test_a_version_is_what_it_says_of_itself(here: Path, more: str, version: str, version_is: str) -> None:
    (here / "own_train.py").write_text(TEXT + more)
    function = find_function("own_train:score").function
    assert (function.version, function.version_is) == (version, version_is)


def test_the_name_the_version_and_the_arguments_tell_trainings_apart(here: Path) -> None:
    (here / "own_train.py").write_text(TEXT + "def other(a, *, job, report): return 1\n")
    identities = [find_function(f"own_train:{one}").function.identity for one in ("score", "other", "score?lr=0.2")]
    (here / "own_train.py").write_text(TEXT + "\n")
    identities.append(find_function("own_train:score").function.identity)
    assert len({str(one) for one in identities}) == 4


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("own_train", "write MODULE:FUNCTION or FILE.py:FUNCTION"),
        ("own_trian:score", "no module 'own_trian' in "),
        ("own_package.trian:score", "no module 'own_package'"),
        ("gone.py:score", "gone.py: no such file"),
        ("own_train:scores", "there is no 'scores' in it; functions there: score"),
        ("own_train:TABLE", "'TABLE' is no function but dict"),
        ("own_train:narrow", "cannot be called as function"),
        ("own_train:score?lr=1&lr=2", "'lr' is given twice"),
        ("own_train:score?lr", "cannot read the arguments"),
        ("own_broken:score", "SyntaxError"),
        ("own_raising:score", "importing it failed: ValueError: no"),
        ("own_needy:score", "No module named 'not_there_at_all'"),
        ("math:sqrt", "the source of sqrt cannot be read"),
    ],
)
def test_what_is_wrong_is_said(here: Path, reference: str, said: str) -> None:
    (here / "own_train.py").write_text(TEXT + "TABLE = {}\ndef narrow(architecture): return 1\n")
    (here / "own_broken.py").write_text("def score(:\n")
    (here / "own_raising.py").write_text("raise ValueError('no')\n")
    (here / "own_needy.py").write_text("import not_there_at_all\n")
    with pytest.raises(UserError, match=re.escape(said)):
        find_function(reference)


def test_where_it_was_looked_for_is_said(here: Path) -> None:
    with pytest.raises(UserError) as refused:
        find_function("own_trian:score", [here / "beside"])
    assert f"{here / 'beside'}, {here}" in str(refused.value)


def test_a_function_itself_goes_by_its_name(here: Path) -> None:
    find_function("own_train:score")  # imports it
    function = sys.modules["own_train"].score
    given, named = find_function(partial(function, lr=0.2)), find_function("own_train:score?lr=0.2")
    assert given.function.identity == named.function.identity
    assert find_function(given.function.reference).function.identity == named.function.identity


def maker(rate: float) -> Any:
    def score(architecture: object, *, job: object, report: object) -> float:
        return rate

    return score


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (maker(0.1), "uses variables of the function it was made in"),
        (partial(maker, 1), "binds keywords only"),
        (partial(maker, rate={1, 2}), "has to be plain"),
        (print, "takes a function"),
    ],
)
def test_what_is_no_function_of_its_arguments_is_refused(function: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        find_function(function)


def test_a_function_that_nobody_could_import_travels_itself() -> None:
    names: dict[str, Any] = {}
    exec("def score(architecture, *, job, report): return 0.5\nscore.__version__ = '1'", names)
    found = find_function(names["score"])
    assert found.code.pickled
    assert found.code.load()(None, job=None, report=None) == 0.5


MAIN = """
from nas.evaluate.function import find_function
RATE = {rate}
def helped():
    return RATE
def score(architecture, *, job, report):
    return helped()
found = find_function(score)
print(found.function.name, found.function.version, bool(found.code.pickled))
print(found.function.identity == find_function(found.function.reference).function.identity)
"""


@pytest.mark.slow
def test_a_function_of_a_program_travels_itself_and_all_that_it_uses_counts(tmp_path: Path) -> None:
    versions = set()
    for rate in (0.1, 0.2, 0.1):
        (tmp_path / "program.py").write_text(MAIN.format(rate=rate))
        done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
        name, version, travels, again = done.stdout.split()
        assert (name, travels, again) == ("__main__:score", "True", "True")
        versions.add(version)
    assert len(versions) == 2
