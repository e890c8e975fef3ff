from __future__ import annotations

from pathlib import Path

import pytest
from chaos_run import chaos_run


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.postgres
@pytest.mark.timeout(3600)
@pytest.mark.filterwarnings("default")  # of Ray's simulated cluster
@pytest.mark.parametrize(("workers", "sampler"), [(3, "random"), (1, "tpe")])
def test_search_on_a_cluster_where_everything_fails_loses_and_repeats_nothing(
    workers: int, sampler: str, tmp_path: Path
) -> None:
    tally = chaos_run(tmp_path, trials=24, workers=workers, sampler=sampler)
    assert tally.is_sound, tally
    assert tally.resubmissions >= 2
    assert tally.same_order or workers > 1
