"""The tables of the ledger, as they are at the newest revision.

Every name carries the prefix `nas_`, because Optuna keeps its own tables in the same database. A change here needs a
new file in `migrations/versions/` and a new entry in `nas.ledger.revision.REVISIONS`.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from nas.errors import shortened
from nas.ledger.failures import DamageError
from nas.records import Failure, StudyKind, TrialState


class Stored(dict[str, Any]):
    """An object of JSON as the database holds it; a word that must be there and is not is damage, not a `KeyError`."""

    def __missing__(self, word: str) -> Any:
        """Raise DamageError."""
        raise DamageError(f"an object that lacks {word!r} stands in a row: it has {', '.join(self) or 'nothing'}")


class Json(sa.types.TypeDecorator[Any]):
    """Plain data as JSON text: an object, or a list.

    Text, not the database's JSON type: keeps the order of keys and the NaN of a diverged training curve, and reads the
    same in SQLite and PostgreSQL.
    """

    impl = sa.Text
    cache_ok = True

    def __init__(self, what: str, *, shape: type[dict[str, Any] | list[Any]] = dict) -> None:
        """Of the values that are `what`, for messages."""
        super().__init__()
        self.what = what
        self.shape = shape

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str:
        """Write a value as compact ASCII."""
        return json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """Read what `process_bind_param` wrote; NULL only where an outer join found no row.

        Raises:
            DamageError: it has not written that.
        """
        if value is None:
            return None
        try:
            found = json.loads(value)
        except (ValueError, TypeError, RecursionError):
            found = None
        if not isinstance(found, self.shape):
            wanted = "object" if self.shape is dict else "list"
            raise DamageError(f"{self.what} is no {wanted} of JSON, but {shortened(str(value))}")
        return Stored(found) if self.shape is dict else found


class Word(sa.types.TypeDecorator[Any]):
    """One of some words, by its text."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, what: str, words: type[StrEnum]) -> None:
        """Of the values that are `what`, for messages."""
        super().__init__()
        self.what = what
        self.words = words

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Write its text."""
        return None if value is None else str(self.words(value).value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """Read it.

        Raises:
            DamageError: it is none of them.
        """
        try:
            return None if value is None else self.words(value)
        except ValueError:
            raise DamageError(f"{self.what} is {shortened(str(value))}, which is no word for it") from None


class Number(sa.types.TypeDecorator[Any]):
    """A number. SQLite keeps a text or bytes in its place, and returns them."""

    impl = sa.Double
    cache_ok = True

    def __init__(self, what: str, *, kept_as: type[sa.types.TypeEngine[Any]] = sa.Double) -> None:
        """Of the values that are `what`, for messages."""
        super().__init__()
        self.what = what
        self.kept_as = kept_as

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """The column's type in the database."""
        return dialect.type_descriptor(self.kept_as())

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """Read it.

        Raises:
            DamageError: it is no number, or a fraction where whole ones are kept.
        """
        if value is None or type(value) is int or (type(value) is float and self.kept_as is sa.Double):
            return value
        wanted = "number" if self.kept_as is sa.Double else "whole number"
        raise DamageError(f"{self.what} is no {wanted}, but {shortened(str(value))}")


class PlainText(sa.types.TypeDecorator[Any]):
    """A text. SQLite keeps bytes in its place, and returns them."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, what: str) -> None:
        """Of the values that are `what`, for messages."""
        super().__init__()
        self.what = what

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """Read it.

        Raises:
            DamageError: it is no text.
        """
        if value is None or type(value) is str:
            return value
        raise DamageError(f"{self.what} is no text, but {shortened(str(value))}")


def as_kept(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The values of a column as they stand there, damaged or not: `meant` reads them one by one."""
    return sa.type_coerce(column, sa.types.NullType())


def meant(column: sa.Column[Any], kept: Any) -> Any:
    """A value as its column reads it.

    Raises:
        DamageError: it is damaged.
    """
    kind = column.type
    return kind.process_result_value(kept, _ANY_DIALECT) if isinstance(kind, Json | Word | Number | PlainText) else kept


_ANY_DIALECT = sa.engine.default.DefaultDialect()

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

studies = sa.Table(
    "nas_studies",
    metadata,
    sa.Column("name", PlainText("the name of a study"), primary_key=True),
    sa.Column("definition", Json("the definition of a study"), nullable=False),
    sa.Column("created", PlainText("the time of a study"), nullable=False),
    # the default only lets SQLite add the column
    sa.Column("kind", Word("the kind of a study", StudyKind), nullable=False, server_default="search"),
)

architectures = sa.Table(
    "nas_architectures",
    metadata,
    sa.Column("id", PlainText("the id of an architecture"), primary_key=True),
    sa.Column("canonical", Json("the canonical form of an architecture"), nullable=False),
)

evaluations = sa.Table(
    "nas_evaluations",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("study", sa.ForeignKey("nas_studies.name"), nullable=False),  # the one that trained it
    sa.Column("architecture", sa.ForeignKey("nas_architectures.id"), nullable=False),
    sa.Column("recipe", PlainText("the recipe of an evaluation"), nullable=False),
    sa.Column("data", PlainText("the fingerprint of an evaluation"), nullable=False),
    sa.Column("seed", Number("the seed of an evaluation", kept_as=sa.BigInteger), nullable=False),
    sa.Column("rung", Number("the rung of an evaluation", kept_as=sa.Integer), nullable=False),
    sa.Column("accuracy", Number("the accuracy of an evaluation")),
    sa.Column("loss", Number("the loss of an evaluation")),
    sa.Column("test_accuracy", Number("the test accuracy of an evaluation")),
    sa.Column("curve", Json("the curve of an evaluation", shape=list), nullable=False),
    sa.Column("images", Number("the number of images of an evaluation", kept_as=sa.BigInteger), nullable=False),
    sa.Column("seconds", Number("the time of an evaluation"), nullable=False),
    sa.Column("train_seconds", Number("the training time of an evaluation"), nullable=False),
    sa.Column("peak_memory", Number("the memory of an evaluation", kept_as=sa.BigInteger), nullable=False),
    sa.Column("images_per_second", Number("the pace of an evaluation")),
    sa.Column("phases", Json("the phases of an evaluation"), nullable=False, server_default="{}"),
    sa.Column("energy", Number("the energy of an evaluation")),
    sa.Column("micro_batch", Number("the batch of an evaluation", kept_as=sa.Integer)),
    sa.Column("worker", PlainText("the worker of an evaluation"), nullable=False),
    sa.Column("weights", PlainText("the path of the weights of an evaluation")),  # as `nas.ledger.relative` keeps paths
    sa.Column("failure", Word("the failure of an evaluation", Failure)),
    sa.Column("message", PlainText("the message of an evaluation"), nullable=False),
    sa.Column("traceback", PlainText("the traceback of an evaluation"), nullable=False),
    sa.Column("finished", PlainText("the time of an evaluation"), nullable=False),
    sa.Index(None, "study"),
    sa.Index(None, "architecture"),  # failed ones; the unique index below holds only those that succeeded
)

sa.Index(
    "uq_nas_evaluations_key",
    evaluations.c.architecture,
    evaluations.c.recipe,
    evaluations.c.data,
    evaluations.c.seed,
    evaluations.c.rung,
    unique=True,
    sqlite_where=evaluations.c.failure.is_(None),
    postgresql_where=evaluations.c.failure.is_(None),
)

sa.Index(
    "ix_nas_evaluations_failure",
    evaluations.c.study,
    evaluations.c.failure,
    sqlite_where=evaluations.c.failure.is_not(None),
    postgresql_where=evaluations.c.failure.is_not(None),
)

trials = sa.Table(
    "nas_trials",
    metadata,
    sa.Column("study", sa.ForeignKey("nas_studies.name"), primary_key=True),
    sa.Column("number", Number("the number of a trial", kept_as=sa.Integer), primary_key=True, autoincrement=False),
    sa.Column("architecture", sa.ForeignKey("nas_architectures.id"), nullable=False),
    sa.Column("choices", Json("the choices of a trial"), nullable=False),
    sa.Column("cost", Json("the cost of a trial"), nullable=False),
    sa.Column("overrun", Json("the overrun of a trial"), nullable=False),
    sa.Column("state", Word("the state of a trial", TrialState), nullable=False),
    sa.Column("sampler", Json("the sampler's note of a trial"), nullable=False),
    sa.Column("evaluation", sa.ForeignKey("nas_evaluations.id")),
    sa.Column("attempts", Number("the number of attempts of a trial", kept_as=sa.Integer), nullable=False),
    sa.Column("updated", PlainText("the time of a trial"), nullable=False),
    sa.Column("asked", PlainText("the time of a trial")),  # when it was written first
    sa.Column("submitted", PlainText("the time of a trial")),  # the last time
    sa.Index(None, "study", "state", "number"),
    sa.Index(None, "study", "architecture"),
)

reports = sa.Table(
    "nas_reports",
    metadata,
    sa.Column("study", sa.ForeignKey("nas_studies.name"), primary_key=True),
    sa.Column("architecture", sa.ForeignKey("nas_architectures.id"), primary_key=True),
    sa.Column("kind", PlainText("the kind of a report"), primary_key=True),
    sa.Column("content", Json("a report"), nullable=False),
    sa.Column("created", PlainText("the time of a report"), nullable=False),
)

leases = sa.Table(
    "nas_leases",
    metadata,
    sa.Column("study", sa.ForeignKey("nas_studies.name"), primary_key=True),
    sa.Column("holder", PlainText("the holder of a lease"), nullable=False),
    sa.Column("token", PlainText("the token of a lease"), nullable=False),
    # seconds since 1970 on the database's clock
    sa.Column("since", Number("the beginning of a lease"), nullable=False),
    sa.Column("renewed", Number("the heartbeat of a lease"), nullable=False),
)

pulses = sa.Table(
    "nas_pulses",
    metadata,
    sa.Column("study", sa.ForeignKey("nas_studies.name"), primary_key=True),
    sa.Column("content", Json("the pulse of a study"), nullable=False),
    sa.Column("written", Number("the time of a pulse"), nullable=False),  # seconds since 1970 on the database's clock
)

latencies = sa.Table(
    "nas_latencies",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("architecture", sa.ForeignKey("nas_architectures.id"), nullable=False),
    sa.Column("profile", PlainText("the profile of a latency record"), nullable=False),
    sa.Column("device", PlainText("the device of a latency record"), nullable=False),
    sa.Column("content", Json("a latency record"), nullable=False),
    sa.Column("measured", PlainText("the time of a latency record"), nullable=False),
    sa.UniqueConstraint("architecture", "profile", "device", "measured", name="uq_nas_latencies_measurement"),
)
