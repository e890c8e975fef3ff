"""Accuracy on the test split, where a comparison asked for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; evaluations of before do not know it."""
    op.add_column("nas_evaluations", sa.Column("test_accuracy", sa.Double))
