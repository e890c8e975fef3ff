"""Given architectures under one recipe with several seeds: a table instead of a search."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nas.architecture import Architecture
from nas.records import StudyKind
from nas.schema.models import read_model
from nas.schema.nodes import read_yaml
from nas.search.definition import STUDY_NAME, LedgerName, PluginList, TaskFile, load_plugins
from nas.search.sweeps.trainings import Sweep, Training
from nas.task import Task
from nas.train.recipe import Recipe, RecipePlace


class Entry(BaseModel):
    """One architecture of a comparison.

    Attributes:
        architecture: as commands take it; files and folders are looked for beside the comparison's first.
        label: what the table calls it; default a preset's name, `STUDY:ID`, or the end of a path.
        published: what its paper says, shown beside ours word for word.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    label: str = ""
    published: str = ""


class ComparisonFile(BaseModel):
    """A study file with `architectures` in place of a space.

    Attributes:
        name: of the study.
        about: a sentence for people, above the table.
        architectures: what to compare, in the order of the table.
        task: what costs are for.
        data: reference of the data set.
        recipe: fields of the recipe, a recipe's name or a file relative to this file; what is missing is the proxy's
            default.
        seeds: trainings of each, with seeds 0, 1, …
        test: judge every training on the test images, too.
        plugins, storage: as in a study file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=f"^{STUDY_NAME}$")
    about: str = ""
    architectures: list[Entry] = Field(min_length=1)
    task: TaskFile = TaskFile()
    data: str = "digits"
    recipe: Recipe = Recipe()
    seeds: int = Field(default=3, ge=1)
    test: bool = False
    plugins: PluginList = []
    storage: LedgerName | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is compared, and how.

    Attributes:
        name: of the study.
        about: a sentence for people.
        entries: what to compare.
        architectures: of the entries.
        task: what costs are for.
        data: reference of the data set.
        fingerprint: of the data set.
        recipe: how to train.
        seeds: trainings of each.
        first_seed: of the trainings; the others count up from it.
        test: whether every training is judged on the test split, too.
    """

    name: str
    about: str
    entries: tuple[Entry, ...]
    architectures: tuple[Architecture, ...]
    task: Task
    data: str
    fingerprint: str
    recipe: Recipe
    seeds: int
    first_seed: int = 0
    test: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {
            "architectures": [entry.model_dump() for entry in self.entries],
            "budget": [],
            "task": asdict(self.task),
            "data": self.data,
            "fingerprint": self.fingerprint,
            "recipe": self.recipe.to_dict(),
            "test": self.test or None,  # None is what comparisons of before have
        }

    def sweep(self) -> Sweep:
        """Every training, seed by seed, so that a first seed of all is done before a second of any."""
        return Sweep(
            study=self.name,
            kind=StudyKind.COMPARE,
            task=self.task,
            data=self.data,
            fingerprint=self.fingerprint,
            test=self.test,
            trainings=tuple(
                Training(
                    label={"entry": index, "seed": seed},
                    architecture=self.architectures[index],
                    recipe=self.recipe,
                    seed=seed,
                    rung=self.recipe.fidelities[-1].rung,
                )
                for seed, index in product(
                    range(self.first_seed, self.first_seed + self.seeds), range(len(self.entries))
                )
            ),
        )


def read_comparison(path: Path) -> ComparisonFile:
    """Read a comparison file; raises SchemaError with all its problems."""
    root, problems = read_yaml(path)
    found = read_model(ComparisonFile, root, problems, RecipePlace(folder=path.parent))
    load_plugins(found.plugins, path)
    return found
