"""What a classifier takes cue-conflict images for.

As R. Geirhos et al. (arXiv:1811.12231, section 2 and appendix; `code/probabilities_to_decision.py` of
github.com/rgeirhos/texture-vs-shape): the probability of each of the 16 categories is the mean over those classes of
the classifier that belong to it, and the highest decides. Differs: classifiers of other classes than ImageNet's can be
asked about those categories that they have a class of the same name for; the other images are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nas.analysis.shape_bias import CATEGORIES, Decision
from nas.data.cue_conflict import CueConflict
from nas.errors import UserError

_IMAGENET_CLASSES = 1000
_WORDNET_ID = re.compile(r"n\d{8}")


def _range(first: int, last: int, *left_out: int) -> tuple[int, ...]:
    return tuple(index for index in range(first, last + 1) if index not in left_out)


# Classes of ILSVRC 2012 in the order of their WordNet ids; `code/helper/human_categories.py` of that repository.
_IMAGENET: Mapping[str, tuple[int, ...]] = {
    "airplane": (404,),
    "bear": _range(294, 297),
    "bicycle": (444, 671),
    "bird": (8, *_range(10, 24, 17, 21), *_range(80, 100, 84, 85, 86, 97), *_range(127, 145, 134)),
    "boat": (472, 554, 625, 814, 914),
    "bottle": (440, 720, 737, 898, 899, 901, 907),
    "car": (436, 511, 817),
    "cat": _range(281, 286),
    "chair": (423, 559, 765, 857),
    "clock": (409, 530, 892),
    "dog": _range(152, 268, 192, 204, 227, 242, 251, 258, 260, 264),
    "elephant": (385, 386),
    "keyboard": (508, 878),
    "knife": (499,),
    "oven": (766,),
    "truck": (555, 569, 656, 675, 717, 734, 864, 867),
}
_OTHER_NAMES = {"aeroplane": "airplane", "plane": "airplane", "ship": "boat", "automobile": "car"}  # CIFAR-10 and alike


def categories_of(class_names: Sequence[str], classes: int) -> dict[str, tuple[int, ...]]:
    """The classes of a classifier that belong to each category; a category without any is not in it.

    Args:
        class_names: of the classifier, in the order of its logits; empty where nobody has named them.
        classes: how many it has.

    Raises:
        UserError: they are no classes of ImageNet, and fewer than two have the name of a category.
    """
    by_name: dict[str, tuple[int, ...]] = {}
    for index, name in enumerate(class_names):
        word = name.strip().lower()
        category = _OTHER_NAMES.get(word, word)
        if category in CATEGORIES:
            by_name[category] = (*by_name.get(category, ()), index)
    if len(by_name) >= 2:
        return {category: by_name[category] for category in CATEGORIES if category in by_name}
    if classes == _IMAGENET_CLASSES and all(_WORDNET_ID.match(name) for name in class_names):
        return dict(_IMAGENET)
    raise UserError(
        f"a classifier of {classes} classes that are not ImageNet's, and fewer than two of them have the name of a "
        f"cue-conflict class: {', '.join(CATEGORIES)}"
    )


def askable(images: Iterable[CueConflict], categories: Mapping[str, object]) -> list[CueConflict]:
    """Those images whose shape and texture are two different categories that the classifier knows."""
    return [one for one in images if one.shape != one.texture and {one.shape, one.texture} <= categories.keys()]


@torch.inference_mode()
def decide(
    network: nn.Module,
    images: Sequence[CueConflict],
    batches: Iterable[NDArray[np.uint8]],
    categories: Mapping[str, tuple[int, ...]],
    normalise: Callable[[torch.Tensor], torch.Tensor],
) -> list[Decision]:
    """Classify images.

    Args:
        network: in evaluation mode; gives logits (N, classes).
        images: what they are.
        batches: their pixels in the same order, uint8 (N, C, S, S).
        categories: as `categories_of` gives them.
        normalise: from pixels to what the network takes, on its device.
    """
    names = list(categories)
    decisions: list[Decision] = []
    for pixels in batches:
        chances = network(normalise(torch.from_numpy(pixels))).float().softmax(1)  # (N, classes)
        of_category = torch.stack([chances[:, list(categories[name])].mean(1) for name in names], dim=1)
        for answer in of_category.argmax(1).tolist():
            image = images[len(decisions)]
            decisions.append(Decision(image.shape, image.texture, names[answer]))
    return decisions
