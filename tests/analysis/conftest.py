"""Property tests may take their time, and what tests share stands beside them."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # tests are imported without being a package

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
