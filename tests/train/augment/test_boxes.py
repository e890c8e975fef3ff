from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, strategies as st
from scipy import stats
from torch import Generator

from nas.train.augment.boxes import draw_boxes


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def test_area_aspect_and_place_are_uniform() -> None:
    side = 10_000  # so large that whole pixels do not show
    boxes, is_valid = draw_boxes(4000, side, side, area=(0.1, 0.4), aspect=(0.5, 2), generator=seeded())
    assert is_valid.all()
    shares = {
        "area": (boxes.height * boxes.width / side**2 - 0.1) / 0.3,
        "aspect": torch.log(boxes.width / boxes.height) / math.log(4) + 0.5,
        "top": boxes.top / (side - boxes.height),
        "left": boxes.left / (side - boxes.width),
    }
    for name, values in shares.items():
        assert stats.kstest(values.numpy(), "uniform").pvalue > 0.01, name
    correlation = torch.corrcoef(torch.stack(list(shares.values())))
    assert (correlation - torch.eye(4)).abs().max() < 0.06


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 1000))
def test_boxes_lie_inside(height: int, width: int, seed: int) -> None:
    boxes, is_valid = draw_boxes(20, height, width, area=(0.02, 1), aspect=(0.3, 3), generator=seeded(seed))
    assert (boxes.top >= 0).all()
    assert (boxes.left >= 0).all()
    assert (boxes.top + boxes.height <= height).all()
    assert (boxes.left + boxes.width <= width).all()
    assert torch.equal(boxes.height * boxes.width >= 1, is_valid)


def test_rows_and_columns_are_those_of_the_box() -> None:
    boxes, _ = draw_boxes(50, 12, 9, area=(0.1, 0.5), aspect=(0.5, 2), generator=seeded())
    rows, columns = boxes.rows(12), boxes.columns(9)
    for index in range(50):
        top, left, height, width = (int(field[index]) for field in boxes)
        assert rows[index].nonzero().flatten().tolist() == list(range(top, top + height))
        assert columns[index].nonzero().flatten().tolist() == list(range(left, left + width))


@pytest.mark.parametrize("area", [(4.0, 5.0), (1e-9, 2e-9)], ids=["too large", "less than a pixel"])
def test_a_box_that_never_fits_is_empty_and_not_valid(area: tuple[float, float]) -> None:
    boxes, is_valid = draw_boxes(10, 8, 8, area=area, aspect=(1, 1), generator=seeded())
    assert not is_valid.any()
    assert not boxes.rows(8).any()
    assert not boxes.columns(8).any()


def test_ten_attempts_are_made() -> None:
    # A draw fits if its area is at most that of the image: one in four, so 1 - (3/4)^10 of the boxes are valid.
    _, is_valid = draw_boxes(20_000, 500, 500, area=(0, 4), aspect=(1, 1), generator=seeded())
    assert is_valid.double().mean() == pytest.approx(1 - 0.75**10, abs=0.01)
