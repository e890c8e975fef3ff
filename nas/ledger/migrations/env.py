"""What alembic runs around each migration. The connection, inside a transaction, is handed in by the caller."""

from __future__ import annotations

from alembic import context

from nas.ledger.revision import VERSION_TABLE
from nas.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
