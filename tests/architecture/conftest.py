"""Puts the shared cases beside the tests on the import path; tests are imported without being a package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
