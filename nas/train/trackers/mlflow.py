"""MLflow, in a database of its own: `mlflow ui --backend-store-uri sqlite:///FOLDER/mlflow.db` shows it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nas.train.trackers.base import TrackedRun, require_library, tag

DATABASE = "mlflow.db"
_RUN, _MARK = "nas.run", "nas.mark"


class MLflow:
    """A run of the experiment of its study for every training."""

    def __init__(self, folder: Path) -> None:
        """Raise UserError where the library is absent."""
        require_library("mlflow", "--mlflow", "trackers")
        self._folder = folder

    def has(self, run: TrackedRun) -> bool:
        """Whether it is there."""
        client, experiment = self._experiment(run.group)
        return bool(run.mark) and any(old.data.tags.get(_MARK) == run.mark for old in _written(client, experiment, run))

    def begin(self, run: TrackedRun) -> _Run:
        """Begin a run."""
        client, experiment = self._experiment(run.group)
        for old in _written(client, experiment, run):
            client.delete_run(old.info.run_id)
        begun = client.create_run(experiment, run_name=run.name, tags={_RUN: run.identity})
        return _Run(client, begun.info.run_id, run)

    def _experiment(self, name: str) -> tuple[Any, str]:
        """The client, and the id of an experiment, which is made if it is missing."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it is read when the package is imported
        from mlflow import MlflowClient  # 2 s

        self._folder.mkdir(parents=True, exist_ok=True)
        client = MlflowClient(tracking_uri=f"sqlite:///{(self._folder / DATABASE).absolute()}")
        known = client.get_experiment_by_name(name)
        artifacts = (self._folder / "artifacts").absolute().as_uri()
        return client, known.experiment_id if known else client.create_experiment(name, artifact_location=artifacts)


def _written(client: Any, experiment: str, run: TrackedRun) -> list[Any]:
    return list(client.search_runs([experiment], f"tags.`{_RUN}` = '{run.identity}'"))


class _Run:
    """One run."""

    def __init__(self, client: Any, identity: str, run: TrackedRun) -> None:
        from mlflow.entities import Param

        self._client, self._id, self._mark = client, identity, run.mark
        client.log_batch(identity, params=[Param(name, str(value)) for name, value in run.facts.items()])

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """Add an epoch."""
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        self._client.log_batch(self._id, [Metric(tag(name), value, now, epoch) for name, value in values.items()])

    def close(self) -> None:
        """Nothing more is coming."""
        if self._mark:
            self._client.set_tag(self._id, _MARK, self._mark)
        self._client.set_terminated(self._id)
