from __future__ import annotations

import pytest

from nas.schema.problems import Mark, Problem, Problems, SchemaError, Source

SOURCE = Source("x.yaml", "stem: a\nhead: b\n")


def test_problem_is_shown_with_its_line_and_a_caret() -> None:
    shown = SOURCE.show(Problem(Mark(2, 7), "unknown head 'b'"))
    assert shown == "x.yaml:2:7: unknown head 'b'\n    head: b\n          ^"


def test_problem_behind_the_end_has_no_line() -> None:
    assert SOURCE.show(Problem(Mark(9, 1), "missing")) == "x.yaml:9:1: missing"


def test_tab_keeps_the_caret_under_its_column() -> None:
    shown = Source("x.yaml", "a:\tb").show(Problem(Mark(1, 4), "wrong")).splitlines()
    assert shown[1][shown[2].index("^")] == "b"


@pytest.mark.parametrize("column", [1, 60, 61, 500, 939, 1000])
def test_long_line_is_cut_around_the_caret(column: int) -> None:
    line = "".join(chr(ord("a") + index % 26) for index in range(1000))
    _, shown, caret = Source("x.yaml", line).show(Problem(Mark(1, column), "wrong")).splitlines()
    assert len(shown) < 130
    assert shown[caret.index("^")] == line[column - 1]


def test_problems_are_raised_together_in_the_order_of_the_file() -> None:
    problems = Problems(SOURCE)
    problems.add(Mark(2, 1), "second")
    problems.add(Mark(1, 1), "first")
    problems.add(Mark(1, 1), "first")
    assert len(problems) == 3
    with pytest.raises(SchemaError) as caught:
        problems.check()
    assert [one.message for one in caught.value.problems] == ["first", "second"]
    assert str(caught.value).index("first") < str(caught.value).index("second")


def test_no_problem_is_no_error() -> None:
    Problems(SOURCE).check()
