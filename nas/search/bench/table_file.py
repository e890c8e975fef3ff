"""The file that says what the columns of a table of trained networks mean.

Such a table is a CSV file (or `.csv.gz`) with a header and one network a line, as anybody would export it. Beside it
stands a small YAML file:

    name: widths-and-depths
    about: 32,768 networks trained for 90 epochs on CIFAR-10     # a sentence for people; may be left out
    file: results.csv.gz          # beside this file, or in the folder that `nas bench table --files` names
    decisions:                    # the columns that say which network it is, in one of four ways
      width: ordered              #   numbers whose distance means something
      activation: categories      #   values without an order
      ops: characters             #   one decision for each character of a text such as '4210', without an order
      stages: ordered characters  #   the same, each a digit whose distance means something
    seen: [acc_seed_0, acc_seed_1]  # what a training may show: each seed of the bench sees one of them, by chance
    scored: acc_mean              # what it is scored by: a column, or several whose mean counts; default: those seen
    costs: [flops, params]        # known before training; the first is what accuracy is traded against

An empty cell of a decision means that it does not arise for this network. Accuracies are shares, or percentages if one
of them is above 1. Costs are numbers above 0 in any unit, less of which is better. No two lines may have the same
decisions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nas.errors import DataError
from nas.schema.models import read_model
from nas.schema.nodes import read_yaml

Kind = Literal["categories", "ordered", "characters", "ordered characters"]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Columns = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]


class TableFile(BaseModel):
    """The description of a table.

    Attributes:
        name: what reports call it.
        about: a sentence for people.
        file: the CSV file.
        decisions: how to read each column that says which network it is.
        seen: columns of accuracies that a training may show.
        scored: columns whose mean is the accuracy that counts.
        costs: columns of costs, the one to search against first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    about: str = ""
    file: str
    decisions: dict[str, Kind] = Field(min_length=1)
    seen: Columns
    scored: Columns | None = None
    costs: Columns


def read_table_file(path: Path) -> TableFile:
    """Read the description of a table.

    Raises:
        SchemaError: all its problems.
    """
    root, problems = read_yaml(path)
    return read_model(TableFile, root, problems)


def data_file(description: TableFile, path: Path, folder: Path | None) -> Path:
    """Where the rows are: in `folder`, or, without one, beside the description at `path`.

    Raises:
        DataError: not there.
    """
    place = folder or path.parent
    if (place / description.file).is_file():
        return place / description.file
    raise DataError(f"{path}: there is no file {description.file!r} in {place}; --files names the folder that has it")
