from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from PIL import Image
from plain_augment import OPERATIONS
from scipy import stats
from torch import Generator, Tensor

from nas.errors import FieldError
from nas.train.augment import RandAugment
from nas.train.augment.rand_augment import COLOR, GEOMETRY, NOTHING

Each = Callable[..., Tensor]
NAMES = (*COLOR, *GEOMETRY)


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def by_name(image: Image.Image, operation: int, argument: float) -> Image.Image:
    return image if operation == NOTHING else OPERATIONS[NAMES[operation]](image, argument)


@pytest.mark.parametrize(("count", "beyond_a_level"), [(1, 0), (2, 0.002)])
def test_every_image_gets_the_operations_it_drew(
    pictures: Tensor, by_pillow: Each, count: int, beyond_a_level: float
) -> None:
    augment = RandAugment(count=count, probability=0.9)
    images = pictures.repeat(6, 1, 1, 1)
    expected = images
    for layer in augment.draw(len(images), generator=seeded()):
        expected = by_pillow(expected, by_name, layer.operation, layer.argument)
    apart = (augment(images, generator=seeded()).int() - expected.int()).abs()
    # One level apart after a geometric operation may become more by the next one, in few pixels.
    assert (apart > 1).float().mean() <= beyond_a_level
    assert (apart > 0).float().mean() < 0.01


def test_operations_and_their_ranges_are_those_of_the_recipe() -> None:
    """`rand-m9-inc1`: of each range nine tenths, whole numbers cut off."""
    arguments: dict[str, set[float]] = {name: set() for name in NAMES}
    (layer,) = RandAugment(count=1, magnitude=9, std=0, probability=1).draw(3000, generator=seeded())
    for operation, argument in zip(layer.operation.tolist(), layer.argument.tolist(), strict=True):
        arguments[NAMES[operation]].add(round(argument, 6))
    assert arguments == {
        "AutoContrast": {0},
        "Equalize": {0},
        "Invert": {0},
        "PosterizeIncreasing": {1},
        "SolarizeIncreasing": {26},
        "SolarizeAdd": {99},
        "ColorIncreasing": {0.19, 1.81},
        "ContrastIncreasing": {0.19, 1.81},
        "BrightnessIncreasing": {0.19, 1.81},
        "SharpnessIncreasing": {0.19, 1.81},
        "Rotate": {-27, 27},
        "ShearX": {-0.27, 0.27},
        "ShearY": {-0.27, 0.27},
        "TranslateXRel": {-0.405, 0.405},
        "TranslateYRel": {-0.405, 0.405},
    }


def test_draws_follow_their_distributions() -> None:
    layers = RandAugment(count=2, magnitude=5, std=1, probability=0.5).draw(20_000, generator=seeded())
    for layer in layers:
        applied = layer.operation != NOTHING
        assert stats.binomtest(int(applied.sum()), 20_000, 0.5).pvalue > 0.01
        assert stats.chisquare(torch.bincount(layer.operation[applied]).numpy()).pvalue > 0.01
        degrees = layer.argument[layer.operation == NAMES.index("Rotate")]
        assert stats.binomtest(int((degrees > 0).sum()), len(degrees), 0.5).pvalue > 0.01
        assert stats.kstest(degrees.abs().numpy() / 3, stats.norm(5, 1).cdf).pvalue > 0.01
    both = torch.stack([layer.operation for layer in layers]).double()
    assert abs(torch.corrcoef(both)[0, 1]) < 0.02


def test_strength_is_clipped() -> None:
    (layer,) = RandAugment(count=1, magnitude=9, std=100, probability=1).draw(3000, generator=seeded())
    slopes = layer.argument[layer.operation == NAMES.index("ShearX")]
    assert slopes.abs().max() == 0.3
    assert (slopes == 0).any()


@pytest.mark.parametrize("augment", [RandAugment(probability=0), RandAugment(count=0)], ids=["probability", "count"])
def test_nothing_to_do_changes_nothing(pictures: Tensor, augment: RandAugment) -> None:
    assert torch.equal(augment(pictures, generator=seeded()), pictures)


def test_fill_has_a_level_for_every_channel() -> None:
    images = torch.zeros(400, 3, 8, 8, dtype=torch.uint8)
    augment = RandAugment(count=1, probability=1, fill=(9, 30, 200))
    (layer,) = augment.draw(400, generator=seeded())
    shifted = augment(images, generator=seeded())[layer.operation >= NAMES.index("ShearX")]
    levels = shifted.permute(0, 2, 3, 1).reshape(-1, 3).unique(dim=0).tolist()
    assert levels == [[0, 0, 0], [9, 30, 200]]


@pytest.mark.parametrize(
    "field", [{"magnitude": 11}, {"magnitude": -1}, {"probability": 1.5}, {"std": -1}, {"count": -1}]
)
def test_a_value_out_of_range_is_refused(field: dict[str, float]) -> None:
    (name,) = field
    with pytest.raises(FieldError, match=f"{name} lies between 0 and .*, got"):
        RandAugment(**field)  # type: ignore[arg-type]
