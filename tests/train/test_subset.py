from __future__ import annotations

import gc
import weakref
from dataclasses import replace

from nas.data import DataSet
from nas.train.subset import used_images


def test_a_draw_is_made_once_for_equal_data(digits: DataSet) -> None:
    assert used_images(replace(digits), 0.25) is used_images(digits, 0.25)


def test_other_data_has_a_draw_of_its_own(digits: DataSet) -> None:
    other = replace(digits, fingerprint="0" * 16, train=replace(digits.train, labels=digits.train.labels[::-1]))
    assert used_images(other, 0.25).tolist() != used_images(digits, 0.25).tolist()


def test_draws_do_not_hold_on_to_the_data(digits: DataSet) -> None:
    labels = digits.train.labels.copy()
    watched = weakref.ref(labels)
    used_images(replace(digits, fingerprint="1" * 16, train=replace(digits.train, labels=labels)), 0.125)
    del labels
    gc.collect()
    assert watched() is None


def test_many_shares_are_drawn_right(digits: DataSet) -> None:
    shares = [0.05 * step for step in range(1, 13)]
    first = [used_images(digits, share).tolist() for share in shares]
    assert [used_images(digits, share).tolist() for share in shares] == first
