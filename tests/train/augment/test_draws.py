from __future__ import annotations

import pytest
import torch
from scipy import stats
from torch import Generator

from nas.train.augment.draws import symmetric_beta


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.8, 1.0, 2.0, 8.0])
def test_beta_draws_follow_their_distribution(alpha: float) -> None:
    drawn = symmetric_beta(torch.full((20_000,), alpha, dtype=torch.float64), Generator().manual_seed(0))
    assert stats.kstest(drawn.numpy(), stats.beta(alpha, alpha).cdf).pvalue > 0.01


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 1e6])
def test_extreme_beta_draws_are_numbers(alpha: float) -> None:
    drawn = symmetric_beta(torch.full((1000,), alpha, dtype=torch.float64), Generator().manual_seed(0))
    assert ((drawn >= 0) & (drawn <= 1)).all()
    spread = drawn.sub(0.5).square().mean().item()
    assert spread == pytest.approx(stats.beta(alpha, alpha).var(), rel=0.1)


def test_every_element_has_its_own_alpha_and_draw() -> None:
    alpha = torch.tensor([0.2, 5.0], dtype=torch.float64).repeat(10_000, 1)
    drawn = symmetric_beta(alpha, Generator().manual_seed(0))
    for column, of in enumerate((0.2, 5.0)):
        assert stats.kstest(drawn[:, column].numpy(), stats.beta(of, of).cdf).pvalue > 0.01
    assert abs(torch.corrcoef(drawn.T)[0, 1]) < 0.03
