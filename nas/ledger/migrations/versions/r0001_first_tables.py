"""Studies, architectures, evaluations, trials, reports and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table of the first release."""
    _studies_and_architectures()
    _evaluations()
    _trials()
    _reports_and_leases()


def _studies_and_architectures() -> None:
    op.create_table(
        "nas_studies",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_nas_studies"),
    )
    op.create_table(
        "nas_architectures",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("canonical", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nas_architectures"),
    )


def _evaluations() -> None:
    op.create_table(
        "nas_evaluations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("architecture", sa.Text, nullable=False),
        sa.Column("recipe", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("rung", sa.Integer, nullable=False),
        sa.Column("accuracy", sa.Double),
        sa.Column("loss", sa.Double),
        sa.Column("curve", sa.Text, nullable=False),
        sa.Column("images", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("train_seconds", sa.Double, nullable=False),
        sa.Column("peak_memory", sa.BigInteger, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("weights", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("traceback", sa.Text, nullable=False),
        sa.Column("finished", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nas_evaluations"),
        sa.ForeignKeyConstraint(["study"], ["nas_studies.name"], name="fk_nas_evaluations_study"),
        sa.ForeignKeyConstraint(["architecture"], ["nas_architectures.id"], name="fk_nas_evaluations_architecture"),
    )
    op.create_index("ix_nas_evaluations_study", "nas_evaluations", ["study"])
    op.create_index("ix_nas_evaluations_architecture", "nas_evaluations", ["architecture"])
    op.create_index(
        "uq_nas_evaluations_key",
        "nas_evaluations",
        ["architecture", "recipe", "data", "seed", "rung"],
        unique=True,
        sqlite_where=sa.text("failure IS NULL"),
        postgresql_where=sa.text("failure IS NULL"),
    )


def _trials() -> None:
    op.create_table(
        "nas_trials",
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("architecture", sa.Text, nullable=False),
        sa.Column("choices", sa.Text, nullable=False),
        sa.Column("cost", sa.Text, nullable=False),
        sa.Column("overrun", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("sampler", sa.Text, nullable=False),
        sa.Column("evaluation", sa.BigInteger().with_variant(sa.Integer, "sqlite")),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("updated", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("study", "number", name="pk_nas_trials"),
        sa.ForeignKeyConstraint(["study"], ["nas_studies.name"], name="fk_nas_trials_study"),
        sa.ForeignKeyConstraint(["architecture"], ["nas_architectures.id"], name="fk_nas_trials_architecture"),
        sa.ForeignKeyConstraint(["evaluation"], ["nas_evaluations.id"], name="fk_nas_trials_evaluation"),
    )
    op.create_index("ix_nas_trials_study_state_number", "nas_trials", ["study", "state", "number"])
    op.create_index("ix_nas_trials_study_architecture", "nas_trials", ["study", "architecture"])


def _reports_and_leases() -> None:
    op.create_table(
        "nas_reports",
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("architecture", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("study", "architecture", "kind", name="pk_nas_reports"),
        sa.ForeignKeyConstraint(["study"], ["nas_studies.name"], name="fk_nas_reports_study"),
        sa.ForeignKeyConstraint(["architecture"], ["nas_architectures.id"], name="fk_nas_reports_architecture"),
    )
    op.create_table(
        "nas_leases",
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("renewed", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("study", name="pk_nas_leases"),
        sa.ForeignKeyConstraint(["study"], ["nas_studies.name"], name="fk_nas_leases_study"),
    )
