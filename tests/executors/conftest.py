"""Makes `executor_works` importable by name, as workers have to import it too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from executor_works import SCRIPT_PATH


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    """A Ray of eight imagined cores that this process is connected to; its workers can import what tests can."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", SCRIPT_PATH)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray

        ray.init(address="local", num_cpus=8, include_dashboard=False, log_to_driver=False, configure_logging=False)
        try:
            yield
        finally:
            ray.shutdown()
