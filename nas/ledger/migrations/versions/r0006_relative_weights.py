"""Paths of weights relative to a SQLite ledger's folder, also where the project was moved since they were written."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from nas.ledger.relative import relative

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Rewrite what lies beside the file, or lay there; a server's paths stay as they are."""
    connection = op.get_bind()
    database = connection.engine.url.database
    if connection.dialect.name != "sqlite" or not database:
        return
    file = Path(database).absolute()
    table = sa.table("nas_evaluations", sa.column("id"), sa.column("weights"))
    rows = connection.execute(sa.select(table.c.id, table.c.weights).where(table.c.weights.is_not(None))).all()
    for identity, path in rows:
        kept = _kept(Path(path), file)
        if kept != path:
            connection.execute(sa.update(table).where(table.c.id == identity).values(weights=kept))


def _kept(path: Path, file: Path) -> str:
    beside = Path(*path.parts[-3:])  # LEDGER.weights/STUDY/ID.safetensors
    is_moved = path.is_absolute() and beside.parts[0] == f"{file.name}.weights" and not path.exists()
    return relative(str(file.parent / beside if is_moved else path), file.parent)
