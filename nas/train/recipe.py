"""How a network is trained, as data: everything that influences its accuracy but architecture, data set and seed."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)  # fmt: skip

from nas.errors import FieldError, UnknownNameError, UserError
from nas.registry import did_you_mean
from nas.schema.models import read_model
from nas.schema.nodes import read_yaml

VERSION = 2
"""Raised when training does something else with the same fields; part of every id."""
_SCALED_VERSION = 3
"""The same for recipes that scale their learning rate or let it decay by layers, which alone changed last."""

_FOLDER = Path(__file__).parent / "recipes"
_FILES = (".yaml", ".yml", ".json")

Share = Annotated[float, Field(ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """One rung of a recipe, with everything it takes over from the recipe filled in.

    Attributes:
        rung: its number, 0 being the cheapest.
        epochs: epochs that are done at its end, those of the rungs before included.
        resolution: side of the images in pixels.
        data_share: share of every class's training images that is used.
    """

    rung: int
    epochs: int
    resolution: int
    data_share: float


class Rung(BaseModel):
    """A place before the end of a training where it may stop, be judged, and be taken up again."""

    model_config = _STRICT

    epochs: int = Field(ge=1, description="epochs done at its end, those of the rungs before it included")
    resolution: int | None = Field(default=None, ge=1, description="side of the images until there; null: the recipe's")
    data_share: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="share of the training images used until there; null: the recipe's"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, given: Any) -> Any:
        return {"epochs": given} if isinstance(given, int) and not isinstance(given, bool) else given


class RandAugment(BaseModel):
    """RandAugment (arXiv:1909.13719) with the increasing set of operations, a draw for every image."""

    model_config = _STRICT

    count: int = Field(default=2, ge=1, description="operations per image")
    magnitude: Annotated[float, Field(ge=0, le=10)] = Field(default=9.0, description="strength, 0 to 10")
    std: Annotated[float, Field(ge=0)] = Field(default=0.5, description="deviation of the strength between images")


class ResizedCrop(BaseModel):
    """A random part of the image, enlarged to the resolution ('Going Deeper with Convolutions', section 6)."""

    model_config = _STRICT

    scale: Annotated[tuple[Positive, Positive], Strict(False)] = Field(
        default=(0.08, 1.0), description="smallest and largest part of the area"
    )
    ratio: Annotated[tuple[Positive, Positive], Strict(False)] = Field(
        default=(3 / 4, 4 / 3), description="smallest and largest width over height"
    )

    @field_validator("scale", "ratio")
    @classmethod
    def _ordered(cls, bounds: tuple[float, float]) -> tuple[float, float]:
        if bounds[0] > bounds[1]:
            raise ValueError(f"the first bound must not be above the second, got {list(bounds)}")
        return bounds


class Recipe(BaseModel):
    """A training recipe; the defaults are the proxy that candidates are compared with.

    They are chosen for a few dozen steps of a large network on one CPU thread: small batches, because steps teach and
    images cost; a layer scale that does not have to grow first, yet below 1, where deep networks start badly; no drop
    path, which pays only after many epochs. On `digits` (67 steps) networks of 9 to 28 million parameters come to
    82 to 87 %, and two seeds of one network differ less than two networks do.

    `base: NAME` starts from a packaged recipe and changes the fields beside it.
    """

    model_config = _STRICT

    # How long, on what.
    epochs: int = Field(default=1, ge=1, description="passes over the training images")
    rungs: Annotated[tuple[Rung, ...], Strict(False)] = Field(
        default=(), description="where before its end a training may stop: epochs, or {epochs, resolution, data_share}"
    )
    resolution: int = Field(default=32, ge=1, description="side of the images in pixels")
    resolution_start: int | None = Field(
        default=None, ge=1, description="side in the first epoch, from where it grows evenly; null: no growth"
    )
    crop_share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="side of the central crop that is validated, as a share of the resized image's side"
    )
    data_share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="share of every class's training images that is used; the same images for every seed"
    )
    batch: int = Field(
        default=16, ge=1, description="images per step; an incomplete last batch of an epoch is left out"
    )
    validation_batch: int = Field(default=256, ge=1, description="images per step of validation")

    # Optimisation.
    optimizer: Literal["adamw", "sgd"] = Field(default="adamw", description="sgd: with Nesterov momentum")
    learning_rate: float = Field(default=1e-3, gt=0, description="at the top of the schedule")
    learning_rate_batch: int | None = Field(
        default=None,
        ge=1,
        description="the batch that the learning rate is stated for: it is scaled by the images in a step over this; "
        "null: not scaled",
    )
    betas: Annotated[tuple[Decay, Decay], Strict(False)] = Field(
        default=(0.9, 0.999), description="AdamW's moment decays"
    )
    momentum: Decay = Field(default=0.9, description="SGD's")
    weight_decay: float = Field(default=0.05, ge=0, description="none on norms, biases and layer scales")
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.1, description="share of the steps with a linearly rising rate; a half cosine follows"
    )
    learning_rate_floor: Share = Field(default=0.0, description="what the half cosine ends at, as a share of its top")
    anneal: Literal["end", "rung"] = Field(
        default="end", description="what the schedule ends with: the training, or every rung (a warm restart)"
    )
    layer_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="factor of the learning rate from each layer, three blocks, to the one before it"
    )
    gradient_clip: Positive | None = Field(default=5.0, description="upper limit of the gradient's norm; null: none")
    ema_decay: Decay | None = Field(
        default=None, description="validate a moving average of the weights with this decay; null: the last weights"
    )

    # The start.
    init: Literal["normal", "fan_in"] = Field(
        default="normal",
        description="starting weights: the papers' deviation of 0.02, or 1/sqrt(fan-in), which narrow networks need",
    )
    drop_path: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=0.0, description="rate at the last block; null: the architecture's own"
    )
    layer_scale_init: float | None = Field(
        default=0.1, description="start of every layer scale there is; null: the architecture's own"
    )
    classifier_init_scale: float = Field(default=1.0, ge=0, description="factor of the classifier's starting weights")

    # Augmentation, a draw for every image.
    crop_padding: Annotated[float, Field(ge=0, le=0.5)] = Field(
        default=0.125, description="random crops after padding by this share of the side; 0: none"
    )
    resized_crop: ResizedCrop | None = Field(
        default=None, description="random resized crops instead: {scale, ratio}; null: none"
    )
    flip: bool = Field(default=True, description="random horizontal flips, where the data set allows them")
    rand_augment: RandAugment | None = Field(default=None, description="{count, magnitude, std}; null: none")
    random_erasing: Share = Field(default=0.0, description="probability that a box of an image is replaced by noise")
    mixup: float = Field(default=0.0, ge=0, description="alpha of Mixup; 0: none")
    cutmix: float = Field(default=0.0, ge=0, description="alpha of CutMix; 0: none")
    mix_probability: Share = Field(default=1.0, description="that an image is mixed at all")
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.1, description="probability spread over all classes in the training loss"
    )

    # Execution.
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32",
        description="bf16: autocast. There is no 'auto': the accuracy depends on it, so it must not depend on the "
        "machine. On a CPU bf16 is faster with AMX and several times slower without",
    )
    channels_last: bool = Field(
        default=True, description="memory layout NHWC on an accelerator; on a CPU networks always use it"
    )
    compile: bool = Field(default=False, description="torch.compile; 3 to 70 s an architecture, so not in a search")
    activation_checkpointing: bool = Field(
        default=False, description="keep only the inputs of blocks: less memory, about a third more time"
    )

    @model_validator(mode="before")
    @classmethod
    def _on_its_base(cls, given: Any, info: ValidationInfo) -> Any:
        given = {"base": given} if isinstance(given, str) else given
        if not isinstance(given, dict) or "base" not in given:
            return given
        changes = {name: value for name, value in given.items() if name != "base"}
        where = info.context if isinstance(info.context, RecipePlace) else RecipePlace()
        return {**load_recipe(str(given["base"]), where).model_dump(mode="json"), **changes}

    @field_validator("rungs", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        return tuple(given) if isinstance(given, list) else given

    @model_validator(mode="after")
    def _check_rungs(self) -> Self:
        ends = [rung.epochs for rung in self.rungs] + [self.epochs]
        if any(later <= earlier for earlier, later in itertools.pairwise(ends)):
            raise ValueError(f"rungs must end at growing numbers of epochs below epochs, got {ends}")
        sides = [rung.resolution for rung in self.rungs if rung.resolution is not None]
        if any(side > self.resolution for side in [*sides, self.resolution_start or 0]):
            raise ValueError(f"no rung and no start may have a resolution above {self.resolution}, the recipe's")
        return self

    @model_validator(mode="after")
    def _check_effects(self) -> Self:
        if self.resolution_start is not None and self.epochs == 1:
            raise ValueError("resolution_start needs more than one epoch: the side grows from the first to the last")
        if self.mix_probability < 1 and not (self.mixup or self.cutmix):
            raise ValueError("mix_probability needs mixup or cutmix above 0: nothing is mixed without them")
        return self

    @property
    def fidelities(self) -> tuple[Fidelity, ...]:
        """The rungs, the end of the training being the last one."""
        stops = [
            (rung.epochs, rung.resolution or self.resolution, rung.data_share or self.data_share) for rung in self.rungs
        ]
        stops.append((self.epochs, self.resolution, self.data_share))
        return tuple(
            Fidelity(rung=index, epochs=epochs, resolution=side, data_share=share)
            for index, (epochs, side, share) in enumerate(stops)
        )

    @property
    def stored_resolution(self) -> int:
        """Side of the images as they are read: a central crop of them has the recipe's resolution."""
        return round(self.resolution / self.crop_share)

    def peak_learning_rate(self, batch: int) -> float:
        """The learning rate at the top of the schedule for steps of so many images.

        Args:
            batch: images in a step, which are fewer than the recipe's where a data set or a rung has no more.
        """
        scale = 1 if self.learning_rate_batch is None else batch / self.learning_rate_batch
        return self.learning_rate * scale

    def leaves_drop_path_open(self, rate: float) -> bool:
        """Whether neither this recipe nor an architecture of this drop path rate says one, so that nothing is dropped.

        The papers' recipes leave it to the architecture, whose best rate grows with its size; where that says nothing
        either, a training is not the published one, and a comparison with one that does is not a fair one.
        """
        return self.drop_path is None and rate == 0

    def changed(self, **changes: Any) -> Self:
        """The recipe with other values of some fields; raises FieldError as `from_dict` does."""
        return type(self).from_dict({**self.to_dict(), **changes})

    def without_rungs(self) -> Self:
        """The same training in one go."""
        return self.changed(rungs=[])

    def ends_as(self, other: Recipe) -> bool:
        """Whether both train the same network to the same end, and only stop at other places on the way there."""
        return self._rungs_only_stop and other._rungs_only_stop and self.without_rungs() == other.without_rungs()

    @property
    def _rungs_only_stop(self) -> bool:
        """Whether training goes on from the rungs as if there were none."""
        whole = (self.resolution, self.data_share)
        return self.anneal == "end" and all((one.resolution, one.data_share) == whole for one in self.fidelities)

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
            field = _path(finding["loc"]) or "recipe"
            given = "" if finding["type"] == "value_error" else f", got {finding['input']!r}"
            raise FieldError(field, f"{finding['msg'].removeprefix('Value error, ')}{given}") from error

    @property
    def id(self) -> str:
        """12 hex digits: equal recipes, equal id, in every process.

        Over all fields, so that a changed default is another recipe and no old evaluation is taken for a new one.
        """
        is_scaled = self.learning_rate_batch is not None or self.layer_decay < 1
        version = _SCALED_VERSION if is_scaled else VERSION
        canonical = json.dumps([version, self.model_dump(mode="json")], sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _path(steps: Iterable[object]) -> str:
    return ".".join(map(str, steps))


def recipe_names() -> list[str]:
    """The packaged recipes."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def recipe_about(name: str) -> str:
    """The sentence that a packaged recipe's file begins with."""
    return recipe_words(name).partition(". ")[0].removesuffix(".") + "."


def recipe_words(name: str) -> str:
    """What a packaged recipe's file says before its fields: what it is, and where it differs; empty for any other."""
    if name not in recipe_names():
        return ""
    lines = (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[1:]  # the first is for editors
    return " ".join(line.removeprefix("# ") for line in takewhile(lambda line: line.startswith("#"), lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipePlace:
    """Where a recipe is named.

    Attributes:
        folder: of the file that names it; files are looked for there.
        bases: files of recipes that led to it, the last one named it.
    """

    folder: Path = Path()
    bases: tuple[Path, ...] = ()


def load_recipe(reference: str | Path, where: RecipePlace = RecipePlace()) -> Recipe:
    """A recipe by the name of a packaged one, or from a file, whose `base` may be either.

    Args:
        reference: the name, or the path of a YAML or JSON file.
        where: what names it.

    Raises:
        UnknownNameError: no such recipe.
        UserError: bases that lead back to a file.
        SchemaError: all problems of the file.
    """
    path = where.folder / reference
    if path.suffix not in _FILES:
        return Recipe.model_validate(packaged_recipe(str(reference)))
    if not path.exists() and str(reference).removesuffix(".yaml") in recipe_names():
        return Recipe.model_validate(packaged_recipe(path.stem))
    if path.resolve() in where.bases:
        way = " -> ".join(one.name for one in (*where.bases, path))
        raise UserError(f"{where.bases[-1]}: its base leads back to {path.name}: {way}")
    root, problems = read_yaml(path)
    context = RecipePlace(folder=path.parent, bases=(*where.bases, path.resolve()))
    return read_model(Recipe, root, problems, context)


def packaged_recipe(name: str) -> dict[str, Any]:
    """The fields that a packaged recipe sets; raises UnknownNameError."""
    if name not in recipe_names():
        raise UnknownNameError(
            f"unknown recipe {name!r}; {did_you_mean(str(name), recipe_names())} (a file ends in .yaml or .json)"
        )
    return dict(_fields(name))


@lru_cache
def _fields(name: str) -> dict[str, Any]:
    root, problems = read_yaml(_FOLDER / f"{name}.yaml")
    problems.check()
    fields: dict[str, Any] = root.plain()
    return fields
