"""A ledger with made-up studies: real architectures, accuracies by a formula, names and messages that mean harm."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_up import add_study

from nas.ledger import Ledger


@pytest.fixture
def storage(tmp_path: Path) -> str:
    """The address of a ledger that holds the study `made-up`."""
    url = f"sqlite:///{tmp_path / 'nas.db'}"
    with Ledger.open(url) as ledger:
        add_study(ledger, "made-up", 40)
    return url


@pytest.fixture
def ledger(storage: str) -> Iterator[Ledger]:
    """That ledger, open for reading and writing."""
    with Ledger.open(storage) as found:
        yield found
