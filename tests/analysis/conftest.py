"""Property tests may take their time: how long an example takes says nothing about what it shows."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
