"""Evaluations: what each training gave. At most one success per key, and every failure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from nas.errors import LedgerError
from nas.ledger.engine import insert_missing
from nas.ledger.relative import folder_of, found_path, kept_path
from nas.ledger.tables import evaluations, trials
from nas.records import Evaluation, EvaluationKey

COLUMNS = (
    evaluations.c.architecture,
    evaluations.c.recipe,
    evaluations.c.data,
    evaluations.c.seed,
    evaluations.c.rung,
    evaluations.c.accuracy,
    evaluations.c.loss,
    evaluations.c.test_accuracy,
    evaluations.c.curve,
    evaluations.c.images,
    evaluations.c.seconds,
    evaluations.c.train_seconds,
    evaluations.c.peak_memory,
    evaluations.c.images_per_second,
    evaluations.c.phases,
    evaluations.c.energy,
    evaluations.c.micro_batch,
    evaluations.c.worker,
    evaluations.c.weights,
    evaluations.c.failure,
    evaluations.c.message,
    evaluations.c.traceback,
)
"""What `from_row` reads, in its order."""


def from_row(row: Sequence[Any], folder: Path | None) -> Evaluation:
    """An evaluation from the values of `COLUMNS`, of a ledger in a folder."""
    architecture, recipe, data, seed, rung, *result = row
    accuracy, loss, test_accuracy, curve, images, seconds, train_seconds, peak_memory, *rest = result
    images_per_second, phases, energy, micro_batch, worker, weights, failure, message, traceback = rest
    return Evaluation(
        key=EvaluationKey(architecture_id=architecture, recipe=recipe, fingerprint=data, seed=seed, rung=rung),
        accuracy=accuracy,
        loss=loss,
        test_accuracy=test_accuracy,
        curve=tuple(curve),
        images=images,
        seconds=seconds,
        train_seconds=train_seconds,
        peak_memory=peak_memory,
        images_per_second=images_per_second,
        phases=phases,
        energy=energy,
        micro_batch=micro_batch,
        worker=worker,
        weights=found_path(weights, folder),
        failure=failure,
        message=message,
        traceback=traceback,
    )


def keep(connection: sa.Connection, study: str, evaluation: Evaluation, finished: str) -> tuple[int, Evaluation]:
    """Store an evaluation unless it is there: a second success of one key, or the very same failure.

    Returns:
        Row id and content of the evaluation that stands, which for a second success is the first one; that gets the
        test accuracy which only the second one knows.
    """
    evaluation = _storable(evaluation)
    known = None if evaluation.succeeded else _same_failure(connection, evaluation)
    if known is not None:
        return known, evaluation
    row = _values(study, evaluation, finished, folder_of(connection))
    added: int | None = connection.execute(_insertion(connection.dialect.name), row).scalar_one_or_none()
    if added is not None:
        return added, evaluation
    first, *content = connection.execute(_success, evaluation.key.to_dict()).one()
    stands = from_row(content, folder_of(connection))
    if stands.test_accuracy is None and evaluation.test_accuracy is not None:
        tested = sa.update(evaluations).where(evaluations.c.id == first)
        connection.execute(tested.values(test_accuracy=evaluation.test_accuracy))
        stands = replace(stands, test_accuracy=evaluation.test_accuracy)
    return first, stands


def find(connection: sa.Connection, key: EvaluationKey) -> Evaluation | None:
    """The successful evaluation of a key."""
    row = connection.execute(_success, key.to_dict()).one_or_none()
    return None if row is None else from_row(row[1:], folder_of(connection))


def find_all(connection: sa.Connection, keys: Iterable[EvaluationKey]) -> dict[EvaluationKey, Evaluation]:
    """The successful evaluations of some keys, those that there are."""
    wanted = set(keys)
    architectures = sorted({key.architecture_id for key in wanted})
    rows = connection.execute(_successes_of, {"of": architectures})
    folder = folder_of(connection)
    found = (from_row(row, folder) for row in rows)
    return {one.key: one for one in found if one.key in wanted}


def of_study(connection: sa.Connection, study: str | None) -> list[Evaluation]:
    """The evaluations that a study made or reused, failed ones included, oldest first; all of them for None."""
    statement = sa.select(*COLUMNS).order_by(evaluations.c.id)
    if study is not None:
        used = sa.select(trials.c.evaluation).where(trials.c.study == study, trials.c.evaluation.is_not(None))
        statement = statement.where(sa.or_(evaluations.c.study == study, evaluations.c.id.in_(used)))
    folder = folder_of(connection)
    return [from_row(row, folder) for row in connection.execute(statement)]


def accuracies(connection: sa.Connection, study: str) -> list[tuple[EvaluationKey, float]]:
    """The accuracies that a study made or reused, oldest first, and nothing else of its evaluations."""
    return [
        (
            EvaluationKey(
                architecture_id=row.architecture, recipe=row.recipe, fingerprint=row.data, seed=row.seed, rung=row.rung
            ),
            row.accuracy,
        )
        for row in connection.execute(_accuracies, {"of": study})
    ]


def set_weights(connection: sa.Connection, key: EvaluationKey, path: str | None) -> None:
    """Say where the weights of a success are, or that they are gone.

    Raises:
        LedgerError: nothing succeeded under this key.
    """
    row = connection.execute(_success, key.to_dict()).one_or_none()
    if row is None:
        raise LedgerError(f"the ledger holds no successful evaluation of {key}")
    set_weights_of(connection, row.id, path)


def set_weights_of(connection: sa.Connection, identity: int, path: str | None) -> None:
    """The same by the row of an evaluation."""
    kept = kept_path(path, folder_of(connection))
    connection.execute(sa.update(evaluations).where(evaluations.c.id == identity).values(weights=kept))


# Statements are built once: building one costs more than SQLite needs to run it.
_KEY = COLUMNS[:5]
_with_key = sa.and_(*(column == sa.bindparam(column.name) for column in _KEY))
_success = sa.select(evaluations.c.id, *COLUMNS).where(_with_key, evaluations.c.failure.is_(None))
_successes_of = sa.select(*COLUMNS).where(
    evaluations.c.architecture.in_(sa.bindparam("of", expanding=True)), evaluations.c.failure.is_(None)
)

_used = sa.select(trials.c.evaluation).where(trials.c.study == sa.bindparam("of"), trials.c.evaluation.is_not(None))
_accuracies = (
    sa.select(*_KEY, evaluations.c.accuracy)
    .where(
        sa.or_(evaluations.c.study == sa.bindparam("of"), evaluations.c.id.in_(_used)),
        evaluations.c.accuracy.is_not(None),
    )
    .order_by(evaluations.c.id)
)


@cache
def _insertion(dialect: str) -> sa.Executable:
    return insert_missing(dialect, evaluations).returning(evaluations.c.id)


def _same_failure(connection: sa.Connection, evaluation: Evaluation) -> int | None:
    """The row of the very same failure; compared by the database, to which the NaN of a curve equals itself."""
    row = _values("", evaluation, "", folder_of(connection))
    content = (evaluations.c[column.name].is_not_distinct_from(row[column.name]) for column in COLUMNS)
    return connection.execute(sa.select(evaluations.c.id).where(*content).limit(1)).scalar_one_or_none()


def _values(study: str, evaluation: Evaluation, finished: str, folder: Path | None) -> dict[str, Any]:
    return {
        "study": study,
        **evaluation.key.to_dict(),
        "accuracy": evaluation.accuracy,
        "loss": evaluation.loss,
        "test_accuracy": evaluation.test_accuracy,
        "curve": evaluation.curve,
        "images": evaluation.images,
        "seconds": evaluation.seconds,
        "train_seconds": evaluation.train_seconds,
        "peak_memory": evaluation.peak_memory,
        "images_per_second": evaluation.images_per_second,
        "phases": dict(evaluation.phases),
        "energy": evaluation.energy,
        "micro_batch": evaluation.micro_batch,
        "worker": evaluation.worker,
        "weights": kept_path(evaluation.weights, folder),
        "failure": evaluation.failure,
        "message": evaluation.message,
        "traceback": evaluation.traceback,
        "finished": finished,
    }


def _storable(evaluation: Evaluation) -> Evaluation:
    """The same without what a column cannot hold: a loss that is no number, characters that are no text.

    A training that has cost hours must not be lost to a stray byte in its traceback.
    """
    loss = evaluation.loss if evaluation.loss is None or math.isfinite(evaluation.loss) else None
    message, traceback = _text(evaluation.message), _text(evaluation.traceback)
    if (loss, message, traceback) == (evaluation.loss, evaluation.message, evaluation.traceback):
        return evaluation
    return replace(evaluation, loss=loss, message=message, traceback=traceback)


def _text(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
