"""`ARCH` as users write it: a preset name, an architecture file, a folder with weights, or `STUDY:ID`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nas.architecture import Architecture
from nas.errors import UserError
from nas.ledger.address import DEFAULT_STORAGE, split_candidate
from nas.schema.packaged import preset_names
from nas.space.load import load_architecture
from nas.task import Task

if TYPE_CHECKING:
    from nas.ledger import Ledger

_SUFFIXES = (".yaml", ".yml", ".json")
ABOUT = "model.json"
"""What a folder with weights says about them."""


def resolve_architecture(reference: str, storage: str = DEFAULT_STORAGE, *, beside: Path | None = None) -> Architecture:
    """The architecture of a reference; `STUDY:ID` takes any unambiguous beginning of the id.

    Args:
        reference: as the user wrote it.
        storage: address of the ledger that has the study.
        beside: a folder that is looked into before the working directory: that of the file with the reference.

    Raises:
        UserError: nothing of that name, with the nearest ones there are.
    """
    near = None if beside is None else beside / reference
    if near is not None and (near.is_file() or (near.is_dir() and reference not in preset_names())):
        return load_architecture(near)
    found = split_reference(reference)
    if found is None:
        return load_architecture(reference)
    from nas.ledger import Ledger

    with Ledger.read(storage) as ledger:
        return candidate_architecture(ledger, *found)


def candidate_architecture(ledger: Ledger, study: str, prefix: str) -> Architecture:
    """The architecture of a study's candidate by the beginning of its id; raises LedgerError where there is none."""
    return Architecture.from_dict(ledger.architecture(ledger.architecture_id(study, prefix)))


def own_task(reference: str, storage: str = DEFAULT_STORAGE) -> Task:
    """What a reference is priced for where nobody says otherwise: a candidate and weights have a task of their own.

    Raises:
        UserError: no such study, or a folder that is damaged.
    """
    found = split_reference(reference)
    if found is None:
        about = Path(reference) / ABOUT
        return read_about(about).task if about.is_file() else load_architecture(reference).task_of(Task())
    from nas.ledger import Ledger

    with Ledger.read(storage) as ledger:
        task = ledger.study(found[0]).definition.get("task")
        architecture = candidate_architecture(ledger, *found)
    return architecture.task_of(Task(**task) if isinstance(task, dict) else Task())


class AboutFile(BaseModel):
    """`model.json`: what a folder says of its weights. Whatever else stands in it is how they were reached.

    Attributes:
        architecture_id: of the network, `architecture` in the file.
        in_channels, classes, resolution: the task that they were trained for.
        merged: whether they are of the deployed form.
        class_names: in the order of the logits; none where nobody knows them.
        mean, std: per channel, of pixel values scaled to [0, 1].
        plugins: labels of those that its parts are of.
        written_by: which version.
        forms: what else lies in the folder, by name.
    """

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False, frozen=True)

    architecture_id: str = Field(alias="architecture")
    in_channels: int
    classes: int
    resolution: int
    merged: bool
    class_names: list[str]
    mean: list[float]
    std: list[Annotated[float, Field(gt=0)]]
    plugins: list[str] = []
    written_by: str = ""
    forms: dict[str, Any] = {}

    @model_validator(mode="after")
    def _fits_its_task(self) -> Self:
        channels = self.task.channels  # raises where a number is beyond its limits
        for name in ("mean", "std"):
            if len(getattr(self, name)) != channels:
                raise ValueError(f"{name} has {len(getattr(self, name))} numbers for {channels} channels")
        if self.class_names and len(self.class_names) != self.classes:
            raise ValueError(f"class_names has {len(self.class_names)} names for {self.classes} classes")
        return self

    @property
    def task(self) -> Task:
        """What the weights were trained for."""
        return Task(resolution=self.resolution, classes=self.classes, channels=self.in_channels)


def read_about(file: Path) -> AboutFile:
    """Read a `model.json`.

    Raises:
        UserError: it is not what `nas export` writes; the message names the first field that is wrong.
    """
    try:
        return AboutFile.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise _no_about(file, f"{place}: {first['msg'].removeprefix('Value error, ')}") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror or error}") from None
    except RecursionError:
        raise _no_about(file, "nested too deep") from None
    except (ValueError, UserError) as error:
        raise _no_about(file, str(error)) from None


def _no_about(file: Path, problem: str) -> UserError:
    return UserError(f"{file}: not what `nas export` writes: {problem}; export, import or train into the folder again")


def short_names(references: Sequence[str]) -> list[str]:
    """What tables call architectures: files and folders by the end of their path, as much of it as tells them apart.

    Presets and `STUDY:ID` are short as they are.
    """
    presets = set(preset_names())

    def ends(reference: str) -> list[str]:
        """From the shortest to the whole."""
        if reference in presets or split_reference(reference) is not None:
            return [reference]
        path = Path(reference)
        path = path.with_suffix("") if path.suffix in _SUFFIXES else path
        parts = path.parts
        return ["/".join(parts[-count:]) for count in range(1, len(parts))] + [str(path), reference]

    names = {one: ends(one) for one in references}
    while any(crowded := [one for one in names if len(names[one]) > 1 and _is_shared(names[one][0], one, names)]):
        names |= {one: names[one][1:] for one in crowded}
    return [names[one][0] for one in references]


def _is_shared(name: str, owner: str, names: Mapping[str, list[str]]) -> bool:
    return any(ends[0] == name for one, ends in names.items() if one != owner)


def split_reference(reference: str) -> tuple[str, str] | None:
    """The study and the id of `STUDY:ID`; None for anything else."""
    return None if ":" not in reference or os.path.exists(reference) else split_candidate(reference)
