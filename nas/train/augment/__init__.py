"""Augmentation of a whole batch at once, on the device it lives on, with a draw for every image.

Every random number comes from a `torch.Generator` on the CPU and only the draws travel, so that every device sees the
same ones, and an accelerator is never waited for. Crops and RandAugment keep uint8; erasing and mixing take the
normalised float images.
"""

from nas.train.augment.crop import crop_and_flip, random_resized_crop
from nas.train.augment.erasing import random_erasing
from nas.train.augment.mix import Mixed, mix, mixed_cross_entropy
from nas.train.augment.rand_augment import RandAugment

__all__ = [
    "Mixed",
    "RandAugment",
    "crop_and_flip",
    "mix",
    "mixed_cross_entropy",
    "random_erasing",
    "random_resized_crop",
]
