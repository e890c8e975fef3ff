from __future__ import annotations

from pathlib import Path

import pytest
from kill_run import kill_run


@pytest.mark.slow
def test_search_that_is_killed_at_random_moments_loses_and_repeats_nothing(tmp_path: Path) -> None:
    tally = kill_run(tmp_path, kills=12, trials=20, seed=1)
    assert tally.driver_kills + tally.worker_kills >= 12
    assert (tally.duplicates, tally.lost) == (0, 0)
    assert tally.same_as_undisturbed
    assert tally.same_for_optuna
