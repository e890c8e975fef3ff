"""What each study does: search, compare, trust or refine."""

from __future__ import annotations

import json
from collections.abc import Collection

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_KEYS = {"refines": "refine", "reference": "trust", "architectures": "compare"}  # which only such a definition has

_studies = sa.table("nas_studies", sa.column("name", sa.Text), sa.column("definition", sa.Text), sa.column("kind"))


def upgrade() -> None:
    """Add the column; what studies of before do is read from the keys of their definitions."""
    op.add_column("nas_studies", sa.Column("kind", sa.Text, nullable=False, server_default="search"))
    connection = op.get_bind()
    for name, definition in connection.execute(sa.select(_studies.c.name, _studies.c.definition)).all():
        kind = _kind(json.loads(definition))
        connection.execute(sa.update(_studies).where(_studies.c.name == name).values(kind=kind))


def _kind(keys: Collection[str]) -> str:
    return next((kind for key, kind in _KEYS.items() if key in keys), "search")
