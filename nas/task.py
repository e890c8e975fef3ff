"""The task an architecture is priced for: what goes in and how many classes come out."""

from __future__ import annotations

from dataclasses import dataclass

from nas.errors import FieldError
from nas.schema.fields import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Image classification at one resolution; the default is ImageNet-1k, which the papers' numbers are given for.

    Attributes:
        resolution: side of the square input in pixels.
        classes: outputs of the head; 0 means pooled features, no classifier.
        channels: channels of the input image.
    """

    resolution: int = 224
    classes: int = 1000
    channels: int = 3

    def __post_init__(self) -> None:
        """Raise FieldError where a number makes no sense."""
        for name, low, high in (("resolution", 1, 1 << 20), ("classes", 0, 10**7), ("channels", 1, 65536)):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise FieldError(name, f"must be a whole number between {low} and {high}, got {shown(value)}")
