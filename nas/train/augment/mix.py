"""Mixup (arXiv:1710.09412) and CutMix (arXiv:1905.04899): every image with a share of another one."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from nas.train.augment.boxes import Boxes
from nas.train.augment.draws import moved, symmetric_beta, uniform


class Mixed(NamedTuple):
    """A batch of mixed images; two labels and a share stand for each soft target, which never takes (N, classes).

    Attributes:
        images: (N, C, H, W), like the ones given.
        labels: int64, (N,), of the images.
        partners: int64, (N,), of the images mixed in.
        share: float32, (N,), in [0, 1]: how much of the target the first label has.
    """

    images: Tensor
    labels: Tensor
    partners: Tensor
    share: Tensor


def mix(
    images: Tensor,
    labels: Tensor,
    *,
    mixup: float,
    cutmix: float,
    probability: float = 1.0,
    switch_probability: float = 0.5,
    generator: Generator,
) -> Mixed:
    """Blend every image with the next one of the batch, or paste a box of that one into it.

    Every image draws for itself whether it is mixed, how, and how much; the papers' code draws once for a batch. The
    batch must be in random order; then the next image is a random one, and another one if there is any. A pasted box
    that the border cuts off counts with what is left of it.

    Args:
        images: floating point, (N, C, H, W).
        labels: int64, (N,), where the images are.
        mixup: Mixup's alpha, the share being drawn from Beta(alpha, alpha); 0: no Mixup.
        cutmix: CutMix's alpha; 0: no CutMix.
        probability: share of the images that are mixed at all.
        switch_probability: share of CutMix among them, where both have an alpha.
        generator: on the CPU, so that every device sees the same draws.
    """
    count, (height, width) = len(images), images.shape[2:] if cutmix else (1, 1)  # Mixup alone: a weight for an image
    is_cut = torch.rand(count, generator=generator) < _share_of_cutmix(mixup, cutmix, switch_probability)
    alpha = torch.tensor((mixup, cutmix), dtype=torch.float64)[is_cut.long()]
    is_mixed = (torch.rand(count, generator=generator) < probability) & (alpha > 0)
    taken = (1 - symmetric_beta(alpha, generator)) * is_mixed  # (N,), the partner's share
    boxes = _cut(taken, height, width, generator)
    # The partner's weight at a pixel is the product of its row's and its column's.
    rows = torch.where(is_cut[:, None], boxes.rows(height), taken[:, None])  # (N, H)
    columns = boxes.columns(width) | ~is_cut[:, None]  # (N, W)
    share = 1 - rows.mean(1, keepdim=True) * columns.double().mean(1, keepdim=True)
    draws = moved(torch.cat((rows, columns, share), 1).float(), images.device)
    rows, columns, share = torch.split(draws, [height, width, 1], 1)
    weight = (rows[:, None, :, None] * columns[:, None, None, :]).to(images.dtype)  # (N, 1, H, W)
    return Mixed(_with_the_next(images, weight), labels, labels.roll(-1), share.squeeze(1))


def mixed_cross_entropy(logits: Tensor, mixed: Mixed, *, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy with the soft targets of a mixed batch, a scalar.

    The target of an image is (1 - smoothing) (share label + (1 - share) partner) + smoothing / classes: both labels are
    smoothed, as in ConvNeXt's recipe.

    Args:
        logits: float32, (N, classes).
        mixed: the batch they belong to.
        smoothing: probability spread over all classes.
    """
    log_probabilities = logits.log_softmax(1)
    first = log_probabilities.gather(1, mixed.labels[:, None]).squeeze(1)
    second = log_probabilities.gather(1, mixed.partners[:, None]).squeeze(1)
    hard = torch.lerp(second, first, mixed.share)  # (N,)
    return -torch.lerp(hard, log_probabilities.mean(1), smoothing).mean()


def _with_the_next(images: Tensor, weight: Tensor) -> Tensor:
    """(1 - weight) image + weight next image, without a copy of the batch in the order of the partners."""
    mixed = torch.empty_like(images)
    torch.lerp(images[:-1], images[1:], weight[:-1], out=mixed[:-1])
    torch.lerp(images[-1:], images[:1], weight[-1:], out=mixed[-1:])
    return mixed


def _share_of_cutmix(mixup: float, cutmix: float, switch_probability: float) -> float:
    if mixup > 0 and cutmix > 0:
        return switch_probability
    return float(cutmix > 0)


def _cut(area: Tensor, height: int, width: int, generator: Generator) -> Boxes:
    """CutMix's boxes: `area` of the image each, of its aspect, around any pixel, cut off at the border."""
    sides = torch.tensor(((height,), (width,)), dtype=torch.float64)
    extent = (sides * area.sqrt()).floor().div(2).floor()  # (2, N), half of each side
    centre = (uniform(0, 1, tuple(extent.shape), generator) * sides).floor()
    begin = (centre - extent).clamp(min=0)
    end = torch.minimum(centre + extent, sides)
    return Boxes(*begin, *(end - begin))
