"""What Optuna's tables hold of a study."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What Optuna's tables hold, by trial number; keys of rows may differ."""
    tables = {
        "trials": "state, datetime_start, datetime_complete",
        "trial_values": "objective, value",
        "trial_intermediate_values": "step, intermediate_value",
        "trial_params": "param_name, param_value",
        "trial_system_attributes": "key, value_json",
        "trial_user_attributes": "key, value_json",
    }
    with closing(sqlite3.connect(path)) as connection:
        found = {
            table: connection.execute(f"SELECT number, {columns} FROM trials JOIN {table} USING (trial_id)").fetchall()
            if table != "trials"
            else connection.execute(f"SELECT number, {columns} FROM trials").fetchall()
            for table, columns in tables.items()
        }
        found["study"] = connection.execute("SELECT key, value_json FROM study_user_attributes").fetchall()
    return {table: sorted(rows) for table, rows in found.items()}
