"""The pulse of a running search, when a trial was asked and submitted, and failures by type at a glance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add them; nobody knows when trials of before were asked."""
    op.create_table(
        "nas_pulses",
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("written", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("study", name="pk_nas_pulses"),
        sa.ForeignKeyConstraint(["study"], ["nas_studies.name"], name="fk_nas_pulses_study"),
    )
    op.add_column("nas_trials", sa.Column("asked", sa.Text))
    op.add_column("nas_trials", sa.Column("submitted", sa.Text))
    op.create_index(
        "ix_nas_evaluations_failure",
        "nas_evaluations",
        ["study", "failure"],
        sqlite_where=sa.text("failure IS NOT NULL"),
        postgresql_where=sa.text("failure IS NOT NULL"),
    )
