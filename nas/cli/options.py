"""Options that several commands share: one name, one meaning, one help text."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nas import plugins
from nas.cli import completion
from nas.command_line import command_line
from nas.errors import UserError
from nas.ledger.address import DEFAULT_STORAGE, redacted, storage_url
from nas.task import Task

WORKERS_PANEL = "Workers"
"""Heading of the options that say who trains, in a command's help."""

TRACKERS_PANEL = "Trackers"

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
SpaceOption = Annotated[
    str | None,
    typer.Option(
        "--space", "-s", help="A space file, or the name of a packaged space.", autocompletion=completion.spaces
    ),
]
Space = Annotated[str, typer.Option("--space", "-s", help="A space file, or the name of a packaged space.")]
Budgets = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        "-b",
        help="An upper limit (4.5GFLOPs, 30Mparams, 12Mactivations; in a search 8ms@PROFILE) or a range "
        "(4.2..4.5GFLOPs). Repeatable. 1 FLOP = 1 multiply-add.",
    ),
]
_LEDGER = (
    "The ledger: a SQLite file, or postgresql+psycopg://USER@HOST/DATABASE (the password best in ~/.pgpass or "
    "PGPASSWORD). Other databases, such as MySQL, are refused."
)
Storage = Annotated[str, typer.Option("--storage", metavar="FILE|URL", callback=storage_url, help=_LEDGER)]
StorageOrFile = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="FILE|URL",
        callback=lambda storage: None if storage is None else storage_url(storage),
        help=f"{_LEDGER} Default: the study file's, or else nas.db here.",
    ),
]
Resolution = Annotated[
    int | None,
    typer.Option("--resolution", "-r", help="Side of the input images in pixels that costs are for."),
]
Classes = Annotated[int | None, typer.Option("--classes", help="Classes of the classifier that costs are for.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed: the same seed draws the same.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Trainings, with seeds from --seed on.")]
MicroBatch = Annotated[
    int | None,
    typer.Option(
        "--micro-batch",
        min=1,
        help="Images at a time and process, with gradients summed to the batch; default: what fits into the memory.",
    ),
]
RecipeName = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        help="A packaged recipe (such as convnext_300e), or a recipe file (.yaml).",
        autocompletion=completion.recipes,
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        "-d",
        help="The data set: digits, folder:PATH, cifar10:PATH, cifar100:PATH, npz:FILE, parquet:PATH, imagenet:PATH "
        "or a plug-in's; perhaps with options, as in 'folder:PATH?corrupt=skip&validation=0.1'.",
    ),
]
Evaluate = Annotated[
    str | None,
    typer.Option(
        "--evaluate",
        metavar="MODULE:FUNCTION",
        help="Your own training in place of the proxy, as my_package.train:score or train.py:score?lr=0.1; its code is "
        "run. It takes no --data, and of a recipe only --epochs and --rungs.",
    ),
]
MarkdownFile = Annotated[Path | None, typer.Option("--output", "-o", help="Write the report as a Markdown file.")]
CurvesFile = Annotated[Path | None, typer.Option("--plot", help="Draw the curves: .html, .png or .svg (extra plots).")]
Output = Annotated[Path, typer.Option("--output", "-o", help="The folder to write; made if it is missing.")]
Force = Annotated[
    bool, typer.Option("--force", help="Write over what is in the folder, also where it is something else.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-w",
        min=1,
        help="Trainings at a time, one thread each; default: one a core, on a GPU one; on Ray what there is room for.",
        rich_help_panel=WORKERS_PANEL,
    ),
]
MeasureOn = Annotated[
    str | None,
    typer.Option(
        "--measure-on",
        metavar="RESOURCE",
        help="Measure latencies on a node of the Ray cluster that has this resource, such as device:jetson; all of "
        "that node is kept free for it.",
        rich_help_panel=WORKERS_PANEL,
    ),
]
Checkpoints = Annotated[
    str | None,
    typer.Option(
        "--checkpoints",
        help="Folder or URL for trainings put aside between rungs, in a folder of the study's name there; shared by "
        "all machines that train. Default: beside the ledger.",
        rich_help_panel=WORKERS_PANEL,
    ),
]
Device = Annotated[
    str, typer.Option("--device", help="Where to train: auto, cpu or cuda.", rich_help_panel=WORKERS_PANEL)
]
Metrics = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="[HOST:]PORT",
        help="Serve Prometheus metrics at http://HOST:PORT/metrics while the study runs; without a host to this "
        "machine only, at port 0 on any free one.",
    ),
]
TensorBoardFolder = Annotated[
    Path | None,
    typer.Option(
        "--tensorboard",
        metavar="DIR",
        help="Write learning curves for TensorBoard, too, into DIR (extra tensorboard). CSV is always written.",
        rich_help_panel=TRACKERS_PANEL,
    ),
]
WandbFolder = Annotated[
    Path | None,
    typer.Option(
        "--wandb",
        metavar="DIR",
        help="The same for Weights & Biases, offline (extra trackers); `wandb sync` sends it.",
        rich_help_panel=TRACKERS_PANEL,
    ),
]
MlflowFolder = Annotated[
    Path | None,
    typer.Option(
        "--mlflow",
        metavar="DIR",
        help="The same for MLflow, into DIR/mlflow.db (extra trackers).",
        rich_help_panel=TRACKERS_PANEL,
    ),
]
StudyName = Annotated[
    str | None,
    typer.Argument(
        metavar="[STUDY]",
        help="Name of the study; default: the latest.",
        show_default=False,
        autocompletion=completion.studies,
    ),
]
StudyNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[STUDY...]",
        help="Names of studies, side by side; default: the latest.",
        show_default=False,
        autocompletion=completion.studies,
    ),
]


def proposed(command: str, *words: str, arguments: Sequence[str] = (), storage: str = DEFAULT_STORAGE) -> str:
    """A command of ours as one can paste it into a shell, with the ledger and the plug-ins of this one.

    A password in the ledger's address is left out.
    """
    parts = [word for plugin in plugins.given() for word in ("--plugin", plugin.reference)]
    ledger = [] if storage == DEFAULT_STORAGE else ["--storage", redacted(storage)]
    return command_line(*command.split(), *words, *parts, *ledger, arguments=arguments)


def loading(folder: Path | str) -> str:
    """A command that loads what was written to a folder, as one can paste it into a shell."""
    return shlex.join(["python", "-c", f"import nas; print(nas.load_model({json.dumps(str(folder))}))"])


def overridden(task: Task, resolution: int | None, classes: int | None) -> Task:
    """`task` with what the command line says instead."""
    return Task(
        resolution=task.resolution if resolution is None else resolution,
        classes=task.classes if classes is None else classes,
        channels=task.channels,
    )


def epochs_of(rungs: str | None) -> list[int] | None:
    """What `--rungs` says: '1,3' or 'none'; raises UserError."""
    if rungs is None:
        return None
    try:
        return [] if rungs == "none" else [int(one) for one in rungs.split(",")]
    except ValueError:
        raise UserError(f"--rungs {rungs}: write numbers of epochs such as 1,3, or none") from None
