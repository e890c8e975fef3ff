"""How a network is trained, as data: everything that influences its accuracy but architecture, data set and seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from nas.errors import FieldError
from nas.registry import Registry

VERSION = 1
"""Raised when training does something else with the same fields; part of every id."""

Share = Annotated[float, Field(ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]


class Recipe(BaseModel):
    """A training recipe; the defaults are the proxy that candidates are compared with.

    They are chosen for a few dozen steps of a large network on one CPU thread: small batches, because steps teach and
    images cost; a layer scale that does not have to grow first, yet below 1, where deep networks start badly; no drop
    path, which pays only after many epochs. On `digits` (67 steps) networks of 9 to 28 million parameters come to
    82 to 87 %, and two seeds of one network differ less than two networks do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    epochs: int = Field(default=1, ge=1, description="passes over the training images")
    resolution: int = Field(default=32, ge=1, description="side of the images in pixels")
    batch: int = Field(
        default=16, ge=1, description="images per step; an incomplete last batch of an epoch is left out"
    )
    learning_rate: float = Field(
        default=1e-3, gt=0, description="AdamW's, at the top of the schedule; not scaled by the batch"
    )
    betas: Annotated[tuple[Decay, Decay], Strict(False)] = Field(
        default=(0.9, 0.999), description="AdamW's moment decays"
    )
    weight_decay: float = Field(default=0.05, ge=0, description="AdamW's; none on norms, biases and layer scales")
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.1, description="share of the steps with a linearly rising rate; a half cosine follows"
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.1, description="probability spread over all classes in the training loss"
    )
    drop_path: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=0.0, description="rate at the last block; null: the architecture's own"
    )
    layer_scale_init: float | None = Field(
        default=0.1, description="start of every layer scale there is; null: the architecture's own"
    )
    gradient_clip: Annotated[float, Field(gt=0)] | None = Field(
        default=5.0, description="upper limit of the gradient's norm; null: none"
    )
    ema_decay: Decay | None = Field(
        default=None, description="validate a moving average of the weights with this decay; null: the last weights"
    )
    crop_padding: Annotated[float, Field(ge=0, le=0.5)] = Field(
        default=0.125, description="random crops after padding by this share of the side; 0: none"
    )
    flip: bool = Field(default=True, description="random horizontal flips, where the data set allows them")
    data_share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="share of every class's training images that is used; the same images for every seed"
    )
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32",
        description="bf16: autocast. There is no 'auto': the accuracy depends on it, so it must not depend on the "
        "machine. On a CPU bf16 is faster with AMX and several times slower without",
    )
    validation_batch: int = Field(default=256, ge=1, description="images per step of validation")

    def to_dict(self) -> dict[str, Any]:
        """The fields that differ from the defaults, JSON-ready; inverse of `from_dict`."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, or a user did.

        Raises:
            FieldError: an unknown field, or a value that breaks its rule.
        """
        try:
            return cls.model_validate(dict(data))
        except ValidationError as error:
            finding = error.errors(include_url=False)[0]
            field = ".".join(str(step) for step in finding["loc"])
            raise FieldError(field, f"{finding['msg']}, got {finding['input']!r}") from error

    @property
    def id(self) -> str:
        """12 hex digits: equal recipes, equal id, in every process.

        Over all fields, so that a changed default is another recipe and no old evaluation is taken for a new one.
        """
        canonical = json.dumps([VERSION, self.model_dump(mode="json")], sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


recipes: Registry[Recipe] = Registry("recipe")
recipes.register("proxy")(Recipe())
# For networks of less than a million parameters on some ten thousand images: there a step costs little more than its
# overhead, and narrow layers bear a higher rate. Random crops cost 5 points of accuracy in so few epochs.
recipes.register("small")(Recipe(epochs=4, batch=64, learning_rate=4e-3, layer_scale_init=1.0, crop_padding=0.0))
