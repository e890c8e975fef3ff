from __future__ import annotations

from typing import Any

import pytest

from nas.errors import StudyError
from nas.ledger import Ledger


@pytest.fixture
def filled(ledger: Ledger, records: Any) -> Ledger:
    identities = ["3f01", "3f02", "3f02", "3fab", "77", "7700", "a%", "ab"]
    records.write(ledger, *(records.trial(number, identity) for number, identity in enumerate(identities)))
    return ledger


@pytest.mark.parametrize(
    ("prefix", "identity"), [("3f01", "3f01"), ("3f02", "3f02"), ("3fa", "3fab"), ("77", "77"), ("770", "7700")]
)
def test_a_prefix_finds_its_architecture(filled: Ledger, prefix: str, identity: str) -> None:
    assert filled.architecture_id("alpha", prefix) == identity


@pytest.mark.parametrize("prefix", ["zz", "3F01", "_7", "3f011", "%"])
def test_an_unknown_prefix_is_refused(filled: Ledger, prefix: str) -> None:
    with pytest.raises(StudyError, match=f"no architecture of study 'alpha' begins with '{prefix}'"):
        filled.architecture_id("alpha", prefix)


def test_an_ambiguous_prefix_shows_what_it_could_mean(filled: Ledger) -> None:
    with pytest.raises(StudyError, match=r"'3f' is the beginning of 3 .*: 3f01, 3f02, 3fab; write more"):
        filled.architecture_id("alpha", "3f")
    with pytest.raises(StudyError, match="and 2 more; write more"):
        filled.architecture_id("alpha", "")


def test_only_the_study_counts(filled: Ledger, records: Any) -> None:
    filled.create_study(records.study("beta"))
    records.write(filled, records.trial(0, "3f02"), study="beta")
    assert filled.architecture_id("beta", "3") == "3f02"
