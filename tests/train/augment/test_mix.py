from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy import stats
from torch import Generator, Tensor
from torch.nn import functional

from nas.train.augment import Mixed, mix, mixed_cross_entropy

CLASSES = 7


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def batch(count: int, side: int = 12) -> tuple[Tensor, Tensor]:
    return torch.randn(count, 3, side, side, generator=seeded(1)), torch.randint(CLASSES, (count,), generator=seeded(2))


def soft_targets(mixed: Mixed) -> Tensor:
    one, other = (functional.one_hot(labels, CLASSES) for labels in (mixed.labels, mixed.partners))
    return mixed.share[:, None] * one + (1 - mixed.share[:, None]) * other


def share_by_the_papers_code(rng: np.random.Generator, side: int) -> float:
    """What CutMix leaves of an image, with the box drawn as in the authors' code."""
    kept = rng.beta(1, 1)
    cut = int(side * np.sqrt(1 - kept))
    x, y = rng.integers(side, size=2)
    left, right = np.clip((x - cut // 2, x + cut // 2), 0, side)
    top, bottom = np.clip((y - cut // 2, y + cut // 2), 0, side)
    return 1 - (right - left) * (bottom - top) / side**2


def test_mixup_blends_with_the_next_image() -> None:
    images, labels = batch(50)
    mixed = mix(images, labels, mixup=0.8, cutmix=0, generator=seeded())
    share = mixed.share[:, None, None, None]
    torch.testing.assert_close(mixed.images, share * images + (1 - share) * images.roll(-1, 0))
    assert torch.equal(mixed.labels, labels)
    assert torch.equal(mixed.partners, labels.roll(-1))


@pytest.mark.parametrize("alpha", [0.5, 0.8, 1.0])
def test_mixup_draws_a_share_from_beta_for_every_image(alpha: float) -> None:
    images, labels = batch(10_000, 1)
    mixed = mix(images, labels, mixup=alpha, cutmix=0, generator=seeded())
    assert stats.kstest(mixed.share.double().numpy(), stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_cutmix_pastes_a_box_of_the_next_image_and_counts_it() -> None:
    images, labels = batch(200)
    mixed = mix(images, labels, mixup=0, cutmix=1, generator=seeded())
    is_own, is_pasted = (mixed.images == images).all(1), (mixed.images == images.roll(-1, 0)).all(1)
    assert (is_own ^ is_pasted).all()
    torch.testing.assert_close(mixed.share, is_own.float().mean((1, 2)))
    for box in is_pasted:
        rows, columns = box.any(1).nonzero().flatten(), box.any(0).nonzero().flatten()
        assert box.sum() == len(rows) * len(columns)
        if len(rows):
            assert rows[-1] - rows[0] + 1 == len(rows)
            assert columns[-1] - columns[0] + 1 == len(columns)


def test_cutmix_boxes_are_drawn_as_in_the_authors_code() -> None:
    images, labels = batch(5000, 32)
    ours = mix(images[:, :1], labels, mixup=0, cutmix=1, generator=seeded()).share
    rng = np.random.default_rng(0)
    theirs = [share_by_the_papers_code(rng, 32) for _ in range(5000)]
    assert stats.ks_2samp(ours.numpy(), np.float32(theirs)).pvalue > 0.01


def test_a_cut_keeps_the_aspect_of_the_image() -> None:
    images = torch.randn(300, 1, 40, 20, generator=seeded())
    mixed = mix(images, torch.zeros(300, dtype=torch.int64), mixup=0, cutmix=1, generator=seeded())
    pasted = (mixed.images != images).any(1)
    heights, widths = pasted.any(2).sum(1), pasted.any(1).sum(1)
    assert heights.max() > 30
    assert heights.sum() / widths.sum() == pytest.approx(2, rel=0.1)


def test_every_image_draws_whether_and_how_it_is_mixed() -> None:
    images, labels = batch(3000, 6)
    mixed = mix(images, labels, mixup=1, cutmix=1, probability=0.6, switch_probability=0.3, generator=seeded())
    copied = ((mixed.images == images) | (mixed.images == images.roll(-1, 0))).all(dim=(1, 2, 3))
    blended = int((~copied).sum())
    assert stats.binomtest(blended, 3000, 0.6 * 0.7).pvalue > 0.01  # a CutMix or nothing is only copied
    assert torch.equal(mixed.images[mixed.share == 1], images[mixed.share == 1])


@pytest.mark.parametrize(("mixup", "cutmix", "probability"), [(0.8, 1, 0), (0, 0, 1)])
def test_nothing_to_do_changes_nothing(mixup: float, cutmix: float, probability: float) -> None:
    images, labels = batch(30)
    mixed = mix(images, labels, mixup=mixup, cutmix=cutmix, probability=probability, generator=seeded())
    assert torch.equal(mixed.images, images)
    assert (mixed.share == 1).all()


def test_an_image_alone_is_mixed_with_itself() -> None:
    images, labels = batch(1)
    mixed = mix(images, labels, mixup=0.8, cutmix=1, generator=seeded())
    torch.testing.assert_close(mixed.images, images)
    assert torch.equal(mixed.partners, labels)


@given(st.integers(2, 12), st.floats(0, 0.9), st.integers(0, 100))
def test_loss_is_the_cross_entropy_with_soft_targets(count: int, smoothing: float, seed: int) -> None:
    images, labels = batch(count, 4)
    mixed = mix(images, labels, mixup=0.8, cutmix=1, generator=seeded(seed))
    logits = torch.randn(count, CLASSES, generator=seeded(seed))
    expected = functional.cross_entropy(logits, soft_targets(mixed), label_smoothing=smoothing)
    torch.testing.assert_close(mixed_cross_entropy(logits, mixed, smoothing=smoothing), expected)


def test_loss_is_that_of_both_labels_by_their_share() -> None:
    images, labels = batch(20)
    mixed = mix(images, labels, mixup=0.8, cutmix=1, generator=seeded())
    logits = torch.randn(20, CLASSES, generator=seeded())
    one, other = (functional.cross_entropy(logits, of, reduction="none") for of in (mixed.labels, mixed.partners))
    expected = (mixed.share * one + (1 - mixed.share) * other).mean()
    torch.testing.assert_close(mixed_cross_entropy(logits, mixed), expected)


def test_loss_has_a_gradient() -> None:
    images, labels = batch(20)
    mixed = mix(images, labels, mixup=0.8, cutmix=1, generator=seeded())
    logits = torch.randn(20, CLASSES, generator=seeded(), requires_grad=True)
    (gradient,) = torch.autograd.grad(mixed_cross_entropy(logits, mixed, smoothing=0.1), logits)
    smooth = 0.9 * soft_targets(mixed) + 0.1 / CLASSES
    torch.testing.assert_close(gradient, (logits.softmax(1) - smooth) / 20)
