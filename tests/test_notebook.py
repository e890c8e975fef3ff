"""What notebooks show, and what a value calls itself in one line."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import nas
from nas.notebook import heading, in_words, table


class Cells(HTMLParser):
    """The texts of a page, and whether every tag is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_texts_are_no_markup() -> None:
    page = heading("<b>", "a & b") + table(("<i>",), [["<script>"]])
    assert Cells(page).texts == ["<b>", " a & b", "<i>", "<script>"]


def test_long_tables_are_cut_and_say_so() -> None:
    assert Cells(table(("n",), ([str(one)] for one in range(5)), most=2)).texts == ["n", "0", "1", "... and 3 more"]
    assert "<thead>" not in table((), [["a", "b"]])


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("conv", "conv"),
        ({"kind": "depthwise", "kernel": 7}, "depthwise(kernel=7)"),
        ({"pattern": [{"kind": "a", "norm": {"kind": "b"}}, "c"]}, "(pattern=[a(norm=b), c])"),
    ],
)
def test_parts_are_said_in_one_line(form: object, words: str) -> None:
    assert in_words(form) == words


def test_spaces_architectures_and_sets_show_themselves() -> None:
    space = nas.load_space("tiny")
    assert repr(space) == "SearchSpace('tiny': 11 decisions)"
    assert {"tiny", "stages.width.base", "3, 5, 7"} <= set(Cells(space._repr_html_()).texts)
    within = space.within("20MFLOPs")
    assert repr(within) == "FeasibleSet('tiny' within 20MFLOPs)"
    shown = Cells(within._repr_html_()).texts
    assert "tiny within 20MFLOPs" in shown
    assert any("99,744 of 193,536 points" in one for one in shown)
    architecture = nas.load_architecture("convnext_tiny")
    assert repr(architecture) == f"Architecture({architecture.id}: 3-3-9-3 blocks of 96-192-384-768 channels)"
    assert {"stage 3", "9", "384", "pool_norm_linear"} <= set(Cells(architecture._repr_html_()).texts)


def test_studies_and_rows_show_themselves(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/nas.db"
    study = nas.Study.create("mine", space="tiny", budget="20MFLOPs", sampler="random", storage=storage)
    assert "none yet" in Cells(study._repr_html_()).texts
    candidate = study.ask()
    study.tell(candidate, accuracy=0.5)
    assert repr(study) == f"Study('mine', storage='{storage}')"
    assert {"Study mine", "tiny within 20MFLOPs", candidate.id, "50.0%"} <= set(Cells(study._repr_html_()).texts)
    assert repr(study.best).startswith(f"Row({candidate.id}: 50.0%, ")
    assert {candidate.id, "stages.width.base"} <= set(Cells(study.best._repr_html_()).texts)


def test_a_stranger_sees_the_interface_alone() -> None:
    code = "import nas; print(*(name for name in dir(nas) if name[0] != '_'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == sorted(nas.__all__)
