"""The task an architecture is priced for: what goes in and how many classes come out."""

from __future__ import annotations

from dataclasses import dataclass

from nas.errors import FieldError


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
        for name, least in (("resolution", 1), ("classes", 0), ("channels", 1)):
            value = getattr(self, name)
            if value < least:
                raise FieldError(name, f"{name} must be at least {least}, got {value}")
