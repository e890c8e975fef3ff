"""What holds for every augmentation of images."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, strategies as st
from torch import Generator, Tensor

from nas.train.augment import RandAugment, crop_and_flip, mix, random_erasing, random_resized_crop

Work = Callable[[Tensor, Generator], Tensor]


class Augmentation(NamedTuple):
    work: Work
    dtype: torch.dtype


def crop(images: Tensor, generator: Generator) -> Tensor:
    return crop_and_flip(images, padding=2, flip=True, generator=generator)


def resized_crop(images: Tensor, generator: Generator) -> Tensor:
    return random_resized_crop(images, size=7, flip=True, generator=generator)


def rand_augment(images: Tensor, generator: Generator) -> Tensor:
    return RandAugment(count=3, probability=0.9)(images, generator=generator)


def erase(images: Tensor, generator: Generator) -> Tensor:
    return random_erasing(images, probability=0.7, generator=generator)


def blend(images: Tensor, generator: Generator) -> Tensor:
    labels = torch.arange(len(images), device=images.device)
    return mix(images, labels, mixup=0.8, cutmix=1, probability=0.8, generator=generator).images


EVERY = {
    "crop_and_flip": Augmentation(crop, torch.uint8),
    "random_resized_crop": Augmentation(resized_crop, torch.uint8),
    "RandAugment": Augmentation(rand_augment, torch.uint8),
    "random_erasing": Augmentation(erase, torch.float32),
    "mix": Augmentation(blend, torch.float32),
}
every = pytest.mark.parametrize("augmentation", EVERY.values(), ids=EVERY)


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def batch(dtype: torch.dtype, *shape: int) -> Tensor:
    return torch.randint(256, shape, generator=seeded(7)).to(dtype)


@every
def test_the_generator_decides(augmentation: Augmentation) -> None:
    images = batch(augmentation.dtype, 40, 3, 9, 11)
    one, same, other = (augmentation.work(images, seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@every
def test_images_given_and_default_generators_stay_as_they_were(augmentation: Augmentation) -> None:
    images = batch(augmentation.dtype, 40, 3, 9, 11)
    before, state = images.clone(), torch.get_rng_state()
    augmentation.work(images, seeded())
    assert torch.equal(images, before)
    assert torch.equal(torch.get_rng_state(), state)


@every
def test_memory_format_makes_no_difference(augmentation: Augmentation) -> None:
    images = batch(augmentation.dtype, 40, 3, 9, 11)
    last = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(augmentation.work(images, seeded()), augmentation.work(last, seeded()))


@every
def test_a_part_of_a_larger_tensor_is_as_good(augmentation: Augmentation) -> None:
    images = batch(augmentation.dtype, 40, 3, 9, 22)[..., ::2]
    assert torch.equal(augmentation.work(images, seeded()), augmentation.work(images.contiguous(), seeded()))


@every
def test_images_draw_independently(augmentation: Augmentation) -> None:
    images = batch(augmentation.dtype, 2, 3, 16, 16).repeat(50, 1, 1, 1)  # neighbours differ, so that mixing shows
    out = augmentation.work(images, seeded())
    assert len({image.numpy().tobytes() for image in out}) > 40


@pytest.mark.parametrize("name", [name for name in EVERY if name != "mix"])
def test_an_image_does_not_see_the_others(name: str) -> None:
    work, dtype = EVERY[name]
    images = batch(dtype, 30, 3, 9, 11)
    others = images.clone()
    others[1::2] = 255 - others[1::2]
    assert torch.equal(work(images, seeded())[::2], work(others, seeded())[::2])


@every
@given(
    count=st.integers(1, 9),
    channels=st.sampled_from([1, 3]),
    height=st.integers(1, 15),
    width=st.integers(1, 15),
    seed=st.integers(0, 10_000),
)
def test_any_shape_is_taken(
    augmentation: Augmentation, count: int, channels: int, height: int, width: int, seed: int
) -> None:
    images = batch(augmentation.dtype, count, channels, height, width)
    out = augmentation.work(images, seeded(seed))
    side = (7, 7) if augmentation.work is resized_crop else (height, width)
    assert out.shape == (count, channels, *side)
    assert out.dtype == augmentation.dtype


@pytest.mark.gpu
@every
def test_an_accelerator_sees_the_same_draws(augmentation: Augmentation) -> None:
    images = batch(augmentation.dtype, 200, 3, 33, 27)
    here = augmentation.work(images, seeded()).double()
    there = augmentation.work(images.cuda(), seeded()).cpu().double()
    # Coordinates are rounded otherwise there: a level may differ, of which further operations make more in few pixels.
    assert ((here - there).abs() > 1).double().mean() < 0.001


@pytest.mark.gpu
@every
def test_an_accelerator_is_not_waited_for(augmentation: Augmentation) -> None:
    images = batch(augmentation.dtype, 200, 3, 33, 27).cuda()
    augmentation.work(images, seeded())
    torch.cuda.set_sync_debug_mode("error")
    try:
        augmentation.work(images, seeded(1))
    finally:
        torch.cuda.set_sync_debug_mode("default")
