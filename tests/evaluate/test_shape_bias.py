"""Classifiers whose answers are known, asked about cue-conflict images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas.analysis.shape_bias import CATEGORIES
from nas.data.cue_conflict import CueConflict
from nas.errors import UserError
from nas.evaluate.shape_bias import askable, categories_of, decide


def test_imagenets_classes_are_mapped_as_published() -> None:
    mapping = categories_of([], 1000)
    assert tuple(mapping) == CATEGORIES
    assert sum(map(len, mapping.values())) == 207  # classes in `human_categories.py`, none in two categories
    assert len({index for indices in mapping.values() for index in indices}) == 207
    assert mapping["elephant"] == (385, 386)
    assert categories_of([f"n{index:08}" for index in range(1000)], 1000) == mapping


def test_other_classes_are_found_by_their_names() -> None:
    cifar = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    assert categories_of(cifar, 10) == {
        "airplane": (0,), "bird": (2,), "boat": (8,), "car": (1,), "cat": (3,), "dog": (5,), "truck": (9,),
    }  # fmt: skip
    for names in ([str(digit) for digit in range(10)], [f"class {index}" for index in range(1000)]):
        with pytest.raises(UserError, match="fewer than two"):
            categories_of(names, len(names))


def test_only_conflicts_between_known_classes_are_asked() -> None:
    images = [CueConflict(Path(), *pair) for pair in (("cat", "dog"), ("cat", "cat"), ("cat", "oven"))]
    assert [(one.shape, one.texture) for one in askable(images, {"cat": (0,), "dog": (1,)})] == [("cat", "dog")]


class Fixed(nn.Module):
    """Logits that are the same for every image."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, images: Tensor) -> Tensor:
        return self.logits.expand(len(images), -1)


def test_the_mean_over_a_categorys_classes_decides() -> None:
    """Two classes of dogs with 0.3 and 0.1 are less than one of cats with 0.25, though the first is the highest."""
    chances = torch.tensor([0.30, 0.10, 0.25, 0.35])
    images = [CueConflict(Path(), "cat", "dog"), CueConflict(Path(), "dog", "cat")]
    batches = [np.zeros((1, 3, 4, 4), dtype=np.uint8)] * 2
    found = decide(Fixed(chances.log()), images, batches, {"cat": (2,), "dog": (0, 1)}, lambda pixels: pixels)
    assert [one.answer for one in found] == ["cat", "cat"]
    assert [one.shape for one in found] == ["cat", "dog"]
