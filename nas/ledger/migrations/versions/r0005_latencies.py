"""Measured latencies, by architecture and profile."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "nas_latencies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("architecture", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("measured", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nas_latencies"),
        sa.ForeignKeyConstraint(["architecture"], ["nas_architectures.id"], name="fk_nas_latencies_architecture"),
        sa.UniqueConstraint("architecture", "profile", "device", "measured", name="uq_nas_latencies_measurement"),
    )
