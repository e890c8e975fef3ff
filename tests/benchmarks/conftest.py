"""Puts the networks to compare with beside the benchmarks on the import path; tests are imported without a package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
