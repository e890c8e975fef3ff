"""Makes `executor_works` importable by name, as workers have to import it too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
