"""Pace, seconds by phase, energy and micro-batch of an evaluation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; evaluations of before do not know them."""
    op.add_column("nas_evaluations", sa.Column("phases", sa.Text, nullable=False, server_default="{}"))
    op.add_column("nas_evaluations", sa.Column("images_per_second", sa.Double))
    op.add_column("nas_evaluations", sa.Column("energy", sa.Double))
    op.add_column("nas_evaluations", sa.Column("micro_batch", sa.Integer))
