"""Augmentation of a batch at once against one image after the other: one thread, one run, repeats that take turns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plain_augment as plain
import pytest
import torch
from PIL import Image
from timing import in_turn
from torch import Generator, Tensor

from nas.train.augment import RandAugment, crop_and_flip, mix, random_erasing, random_resized_crop

pytestmark = [pytest.mark.benchmark, pytest.mark.usefixtures("one_thread")]

CLASSES, SIDE, REPEATS = 10, 32, 20
Work = Callable[[], object]


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str, int, dict[str, Work]], float]:
    """Prints a table of works whose first is ours; gives how many times faster it is than the next best."""

    def run(title: str, images: int, works: dict[str, Work]) -> float:
        ours, *others = in_turn(*works.values(), repeats=REPEATS)
        with capsys.disabled():
            print(f"\n{title}, batch {images}")
            for name, taken in zip(works, (ours, *others), strict=True):
                print(f"  {name:32} {taken / images * 1e6:8.1f} us/image {taken / ours:6.1f}x")
        return min(others) / ours

    return run


def noise(count: int, side: int) -> Tensor:
    return torch.randint(256, (count, 3, side, side), dtype=torch.uint8, generator=Generator().manual_seed(0))


def pictures(images: Tensor) -> list[Image.Image]:
    return [Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy())) for image in images]


def normalised(images: Tensor) -> Tensor:
    return images.float().sub_(120).mul_(1 / 64)


@pytest.mark.parametrize("batch", [64, 128, 256])
def test_crop_flip_and_mixup(batch: int, show: Callable[[str, int, dict[str, Work]], float]) -> None:
    images, generator = noise(batch, SIDE), Generator().manual_seed(0)
    pil, labels = pictures(images), torch.arange(batch) % CLASSES

    def ours() -> object:
        cropped = crop_and_flip(images, padding=SIDE // 8, flip=True, generator=generator)
        return mix(normalised(cropped), labels, mixup=0.8, cutmix=0, generator=generator)

    def one_tensor_after_the_other() -> object:
        cropped = [normalised(plain.crop_and_flip_tensor(image)) for image in images]
        return plain.mixup(torch.stack(cropped), labels, classes=CLASSES)

    def one_picture_after_the_other() -> object:
        cropped = plain.stacked([plain.crop_and_flip(picture) for picture in pil])
        return plain.mixup(normalised(cropped), labels, classes=CLASSES)

    works = {"ours": ours, "tensors, one by one": one_tensor_after_the_other, "Pillow": one_picture_after_the_other}
    assert show("crop, flip, normalise, Mixup at 32x32", batch, works) > 1


@pytest.mark.parametrize("batch", [64, 128, 256])
def test_rand_augment(batch: int, show: Callable[[str, int, dict[str, Work]], float]) -> None:
    images, generator, augment = noise(batch, SIDE), Generator().manual_seed(0), RandAugment()
    pil = pictures(images)
    works: dict[str, Work] = {
        "ours": lambda: augment(images, generator=generator),
        "Pillow": lambda: plain.stacked([plain.rand_augment(picture) for picture in pil]),
    }
    assert show("RandAugment at 32x32", batch, works) > 1


def test_resized_crop(show: Callable[[str, int, dict[str, Work]], float]) -> None:
    images, generator = noise(128, SIDE), Generator().manual_seed(0)
    pil = pictures(images)
    works: dict[str, Work] = {
        "ours": lambda: random_resized_crop(images, size=SIDE, flip=True, generator=generator),
        "Pillow": lambda: plain.stacked([plain.resized_crop(picture) for picture in pil]),
    }
    assert show("random resized crop at 32x32", 128, works) > 1


def test_large_images_on_a_cpu(show: Callable[[str, int, dict[str, Work]], float]) -> None:
    """No claim: a picture of 224x224 is work enough for Pillow's integer code to win on a CPU."""
    images, generator, augment = noise(16, 224), Generator().manual_seed(0), RandAugment()
    pil = pictures(images)
    crops: dict[str, Work] = {
        "ours": lambda: random_resized_crop(images, size=224, flip=True, generator=generator),
        "Pillow": lambda: plain.stacked([plain.resized_crop(picture) for picture in pil]),
    }
    operations: dict[str, Work] = {
        "ours": lambda: augment(images, generator=generator),
        "Pillow": lambda: plain.stacked([plain.rand_augment(picture) for picture in pil]),
    }
    show("random resized crop at 224x224", 16, crops)
    show("RandAugment at 224x224", 16, operations)


def test_what_each_part_takes(capsys: pytest.CaptureFixture[str]) -> None:
    images, generator, augment = noise(128, SIDE), Generator().manual_seed(0), RandAugment()
    ready, labels = normalised(images), torch.arange(128) % CLASSES
    works: dict[str, Work] = {
        "a copy": images.clone,
        "normalise": lambda: normalised(images),
        "crop and flip": lambda: crop_and_flip(images, padding=4, flip=True, generator=generator),
        "random resized crop": lambda: random_resized_crop(images, size=SIDE, flip=True, generator=generator),
        "RandAugment": lambda: augment(images, generator=generator),
        "Random Erasing": lambda: random_erasing(ready, probability=0.25, generator=generator),
        "Mixup": lambda: mix(ready, labels, mixup=0.8, cutmix=0, generator=generator),
        "Mixup or CutMix": lambda: mix(ready, labels, mixup=0.8, cutmix=1, generator=generator),
    }
    times = in_turn(*works.values(), repeats=REPEATS)
    with capsys.disabled():
        print("\n128 images of 32x32")
        for name, taken in zip(works, times, strict=True):
            print(f"  {name:32} {taken * 1e3:8.2f} ms")
