from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings, strategies as st

from nas.ledger import DEFAULT_STORAGE, place, redacted


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://ann:secret@db/nas", "postgresql+psycopg://ann:***@db/nas"),
        (
            "postgresql://ann:s:e/c@r?e=t@db:5432/nas?sslmode=require",
            "postgresql://ann:***@db:5432/nas?sslmode=require",
        ),
        ("postgresql://:secret@db/nas", "postgresql://:***@db/nas"),
        ("postgresql://ann@db/nas", "postgresql://ann@db/nas"),
        ("postgresql://db:5432/nas", "postgresql://db:5432/nas"),
        ("postgresql:///nas?user=ann&password=secret&host=db", "postgresql:///nas?user=ann&password=***&host=db"),
        ("sqlite:////home/a:b@c/nas.db", "sqlite:////home/a:b@c/nas.db"),
        ("postgresql://ann@corp:secret@db/nas", "postgresql://ann@corp:***@db/nas"),
        ("postgresql://a?b:secret@db/nas", "postgresql://a?b:***@db/nas"),
        ("ann:secret@db/nas", "ann:***@db/nas"),
        ("postgresql:ann:secret@db/nas", "postgresql:***@db/nas"),
        ("nonsense", "nonsense"),
    ],
)
def test_redacted_hides_the_password_and_nothing_else(url: str, shown: str) -> None:
    assert redacted(url) == shown


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N"], include_characters=":/@?#&=%\n "), min_size=1))
def test_redacted_hides_any_password(password: str) -> None:
    assert redacted(f"postgresql://ann:XX{password}XX@db/nas") == "postgresql://ann:***@db/nas"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (DEFAULT_STORAGE, "./nas.db"),
        ("sqlite:///runs/nas.db", "./runs/nas.db"),
        ("sqlite:///../nas.db", "../nas.db"),
        ("sqlite:////tmp/nas.db", "/tmp/nas.db"),
        ("sqlite:///C:\\runs\\nas.db", "C:\\runs\\nas.db"),
        ("sqlite://", "sqlite://"),
        ("postgresql://ann:secret@db/nas", "postgresql://ann:***@db/nas"),
    ],
)
def test_place_is_what_a_user_would_call_it(url: str, shown: str) -> None:
    assert place(url) == shown


def test_the_package_is_light_until_the_ledger_is_asked_for() -> None:
    code = """
import sys, nas.ledger
assert "sqlalchemy" not in sys.modules
nas.ledger.Ledger
assert "alembic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
