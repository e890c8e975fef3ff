"""The history of the ledger's tables, run by alembic through `nas.ledger.revision`."""
