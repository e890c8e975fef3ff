"""Taking a candidate out of a study: trained weights, and the accuracy on images no search has seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from torch import nn

from nas.analysis.front import FrontRow, evaluated_rows
from nas.analysis.intervals import wilson
from nas.architecture import Architecture, estimate
from nas.command_line import command_line
from nas.data import DataSet, load_data
from nas.errors import StudyError, UserError
from nas.export.bundle import Provenance, write_bundle
from nas.export.folder import require_folder
from nas.export.real_images import RealImages, validation_images
from nas.ledger import Ledger
from nas.search.definition import StudyDefinition, searched_study
from nas.train.loop import Training
from nas.train.model import make_model
from nas.train.process import one_thread
from nas.train.recipe import Recipe
from nas.train.validation import validate
from nas.train.weights import load_weights

_TEST = "test accuracy"  # the report that keeps a test accuracy from being asked for twice
Steps = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was exported.

    Attributes:
        study: the study it is from.
        id: of the architecture.
        folder: where it is.
        files: what was written.
        validation: accuracy the search chose it by.
        test: accuracy on the test split, in [0, 1], its 95% interval over the choice of images, and their number.
        real: validation images, for forms that are compared.
        retrained: whether the weights were trained again (same seed, same result) because they had not been kept.
    """

    study: str
    id: str
    folder: str
    files: tuple[str, ...]
    validation: float
    test: dict[str, Any]
    retrained: bool
    real: RealImages = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain values of everything but the images."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "real"}


def choose(rows: list[FrontRow], study: str, architecture_id: str | None, ledger: Sequence[str] = ()) -> FrontRow:
    """The row of an architecture, or the most accurate one of the highest rung (the cheaper of two equals).

    Args:
        rows: of the study.
        study: its name.
        architecture_id: its whole id, or None.
        ledger: the words that name the ledger in a command line.

    Raises:
        StudyError: there is none.
    """
    if architecture_id is not None:
        for row in rows:
            if row.id == architecture_id:
                return row
        raise StudyError(
            f"{study}:{architecture_id} has no accuracy: it was over budget, failed, or is not trained yet"
        )
    if not rows:
        going_on = command_line("search", "--resume", "--study", study, *ledger)
        raise StudyError(f"study {study!r} has no trained candidate yet; go on with: {going_on}")
    return max(rows, key=lambda row: (row.rung, row.accuracy, -row.flops))


def export_winner(
    ledger: Ledger,
    study: str,
    architecture_id: str | None,
    folder: Path,
    *,
    data: str | None,
    device: str,
    report: Steps,
) -> Exported:
    """Write a candidate of a study as a folder.

    Args:
        ledger: where the study is.
        study: its name.
        architecture_id: the whole id of a candidate, or None for the most accurate one.
        folder: where to.
        data: reference of the study's data set, should it have moved; its content must be the same.
        device: where to train, should that be needed, and to test.
        report: told the fraction done of a training.

    Raises:
        StudyError: no such candidate.
        DataError: the data set is gone or has changed.
        UserError: the folder cannot be written.
    """
    study, definition = searched_study(ledger, study)
    trials = ledger.trials(study)
    row = choose(evaluated_rows(trials, definition.budget), study, architecture_id, ledger.as_option)
    if any(one.evaluation is not None and one.evaluation.key.is_told for one in trials):
        raise StudyError(
            f"the accuracies of study {study!r} were told, so that there are no weights to export and no training to "
            f"repeat; its networks are built by: nas.Study.open({study!r}).best.build()"
        )
    definition.require_recipe(study, "there are no weights of it to export; `nas train` trains what it has found")
    require_folder(folder)
    found = Architecture.from_dict(ledger.architecture(row.id))
    recipe = definition.recipe
    images = load_data(data or definition.data, resolution=recipe.stored_resolution, expected=definition.fingerprint)
    network = make_model(found, images.task, recipe, seed=definition.seed)
    kept = row.weights is not None and _loaded(network, Path(row.weights))
    if not kept:
        _train_as_workers_do(network, images, recipe, row.rung, seed=definition.seed, device=device, report=report)
    kind = f"{_TEST} at rung {row.rung}" if row.rung else _TEST  # it may climb yet
    test = ledger.report(study, row.id, kind) or ledger.save_report(
        study, row.id, kind, measure_test(network, images, recipe, device=device, rung=row.rung)
    )
    results = {
        "study": study,
        "data": definition.data,
        "recipe": recipe.to_dict(),
        "seed": definition.seed,
        "validation_accuracy": row.accuracy,
        "test": test,
        "cost": _cost(found, definition),
    }
    files = write_bundle(folder, found, network.cpu(), provenance(images, results))
    return Exported(
        study=study,
        id=row.id,
        folder=str(folder),
        files=tuple(path.name for path in files),
        validation=row.accuracy,
        test=test,
        retrained=not kept,
        real=validation_images(images),
    )


def measure_test(network: nn.Module, data: DataSet, recipe: Recipe, *, device: str, rung: int = -1) -> dict[str, Any]:
    """Accuracy on the test split at a rung's resolution, with its 95% interval (Wilson) over the choice of images."""
    side = recipe.fidelities[rung].resolution
    result = validate(network, data, recipe, split="test", device=device, resolution=side)
    interval = wilson(result.accuracy, result.images)
    return {"accuracy": result.accuracy, "low": interval.low, "high": interval.high, "images": result.images}


def provenance(data: DataSet, results: dict[str, Any]) -> Provenance:
    """What to write beside weights that were trained on `data`."""
    return Provenance(task=data.task, classes=data.classes, mean=data.mean, std=data.std, results=results)


def _loaded(network: nn.Module, path: Path) -> bool:
    """Load weights if they are there and whole."""
    try:
        load_weights(network, path)
    except UserError:
        return False
    return True


def _train_as_workers_do(
    network: nn.Module, data: DataSet, recipe: Recipe, rung: int, *, seed: int, device: str, report: Steps
) -> None:
    """To its rung, on one thread, so that the weights are the worker's to the last bit."""
    with one_thread():
        training = Training(network, data, recipe, seed=seed, device=device)
        training.run(rung, report=report)
        training.keep_average()


def _cost(architecture: Architecture, definition: StudyDefinition) -> dict[str, Any]:
    task = architecture.task_of(definition.task)
    cost = estimate(architecture, task)
    return {
        "resolution": task.resolution,
        "classes": definition.task.classes,
        "flops": cost.flops,
        "params": cost.params,
        "activations": cost.activations,
    }
