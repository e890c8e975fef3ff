"""Budgeted search: an Optuna study driven by our own loop, with the ledger as the only truth."""
