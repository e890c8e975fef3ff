"""What becomes of Optuna's copy of a study when the study itself is renamed or removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from optuna.storages._rdb.models import BaseModel, StudyModel, TrialModel

from nas.ledger.engine import Mode, connect, for_writing

_STUDIES: Any = StudyModel.__table__
_TRIALS: Any = TrialModel.__table__


def rename_copy(url: str, old: str, new: str) -> None:
    """Rename the copy in the database at `url`, if it has one."""
    with _writing(url) as connection:
        if connection is not None:
            _delete(connection, new)  # left by a study that is gone
            connection.execute(_STUDIES.update().where(_STUDIES.c.study_name == old).values(study_name=new))


def delete_copy(url: str, study: str) -> None:
    """Remove the copy from the database at `url`, if it has one."""
    with _writing(url) as connection:
        if connection is not None:
            _delete(connection, study)


@contextmanager
def _writing(url: str) -> Iterator[Any]:
    """A transaction; None where the database does not hold Optuna's tables."""
    engine = connect(url, Mode.WRITE)
    try:
        with for_writing(engine).begin() as connection:
            has_tables = engine.dialect.has_table(connection, _STUDIES.name)
            yield connection if has_tables else None
    finally:
        engine.dispose()


def _delete(connection: Any, study: str) -> None:
    """Every row of a study, those that refer to others first."""
    ids = _STUDIES.select().with_only_columns(_STUDIES.c.study_id).where(_STUDIES.c.study_name == study)
    trials = _TRIALS.select().with_only_columns(_TRIALS.c.trial_id).where(_TRIALS.c.study_id.in_(ids))
    for table in reversed(BaseModel.metadata.sorted_tables):
        if "trial_id" in table.c and table is not _TRIALS:
            connection.execute(table.delete().where(table.c.trial_id.in_(trials)))
        elif "study_id" in table.c:
            connection.execute(table.delete().where(table.c.study_id.in_(ids)))
