from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "search")]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a study of every kind, to be copied."""
    from small_studies import write_ledger  # imports torch

    path = tmp_path_factory.mktemp("whole") / "nas.db"
    write_ledger(path)
    return path
