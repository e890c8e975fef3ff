"""Answers as rows, and back."""

from __future__ import annotations

import numpy as np
from space_texts import BRANCHED, every_point, space_with

from nas.space.feasible.fingerprints import key_of
from nas.space.feasible.rows import NOT_ASKED, Coding, answers_of, combined, stacked


def test_rows_read_back_to_their_answers() -> None:
    space = space_with(**BRANCHED)
    coding = Coding(space.root.dimensions())
    for _, answers in every_point(space):
        row = coding.encode(answers)
        assert coding.decode(row) == answers
        assert (row == NOT_ASKED).sum() == len(coding.names) - len(answers)


def test_option_is_found_by_what_it_writes() -> None:
    space = space_with(width="{choice: [8, 16]}", depth="[1, {choice: [1, 2, 3]}]")
    coding = Coding(space.root.dimensions())
    width, depth = coding.names.index("stages.width"), coding.names.index("stages.1.depth")
    table = coding.table(answers_of([{"stages.1.depth": code} for code in range(3)]))
    rows = np.full((3, len(coding.names)), NOT_ASKED, np.int16)
    rows[:, width] = 1
    table.write(rows, np.array([2, 0, 1]))
    assert rows[:, depth].tolist() == [2, 0, 1]
    assert rows[:, width].tolist() == [1, 1, 1]
    assert table.find(rows).tolist() == [2, 0, 1]
    rows[0, depth] = 7
    assert table.find(rows).tolist() == [-1, 0, 1]


def test_sets_are_combined_with_the_last_varying_fastest() -> None:
    both = combined([answers_of([{"a": 0}, {"a": 1}]), answers_of([{"b": 0}, {"b": 1}, {"b": 2}])])
    assert both.names == ("a", "b")
    assert both.codes.tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]


def test_sets_are_stacked_with_what_one_does_not_ask_left_out() -> None:
    both = stacked([answers_of([{"a": 1}]), answers_of([{"b": 2, "a": 0}])])
    assert both.names == ("a", "b")
    assert both.codes.tolist() == [[1, NOT_ASKED], [0, 2]]


def test_equal_parts_have_equal_fingerprints_and_others_not() -> None:
    stages = [one.stages[1].block(0) for one, _ in every_point(space_with(**BRANCHED))]
    assert len({key_of(block) for block in stages}) == len(set(stages))
    assert key_of(None) not in {key_of(block) for block in stages}
