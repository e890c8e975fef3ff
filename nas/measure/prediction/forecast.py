"""What a latency will be, by what was measured of other networks: so that not every network has to be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nas.architecture import Architecture
from nas.ledger import Ledger
from nas.measure.latencies import latest
from nas.measure.prediction.calibration import LEAST, Calibration, calibrate
from nas.measure.prediction.features import Description, describe
from nas.measure.prediction.predictors import Boosting
from nas.measure.profile import NamedProfile
from nas.records import LatencyKey, LatencyRecord
from nas.task import Task

_EVERY = 10  # measurements between two fits, which take a second or two


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A predicted latency.

    Attributes:
        ms: milliseconds.
        low, high: ends of the interval that holds the measured one with 90 %.
    """

    ms: float
    low: float
    high: float


class Forecast:
    """Predicts latencies by one profile from the ledger's records, those that come in meanwhile included.

    It is fitted to the oldest 20, 30, 40 ... networks that have a stable record, so that a search that goes on
    predicts as it would have done without the interruption. What holds a part, a kernel or a width that none of them
    has is not predicted.
    """

    def __init__(self, named: NamedProfile, key: LatencyKey, task: Task, ledger: Ledger) -> None:
        """Nothing is fitted before it is asked.

        Args:
            named: the profile.
            key: that records must have to be comparable.
            task: of the networks.
            ledger: where records are.
        """
        self._task = task
        forms = ledger.measured_architectures()
        known = latest(ledger.latencies(profile=named.id), key)
        self._times: dict[str, float] = {}
        self._networks: dict[str, Description] = {}
        self._calibration: Calibration | None = None
        for identity, record in known.items():
            self.learn(record, forms[identity])

    @property
    def n(self) -> int:
        """How many networks it knows the latency of."""
        return len(self._times)

    def learn(self, record: LatencyRecord, form: Mapping[str, Any]) -> None:
        """Take in another measurement; unstable ones, and those that gave no latency, teach nothing."""
        if record.ms is None or record.unstable or record.architecture_id in self._times:
            return
        self._times[record.architecture_id] = record.ms
        self._networks[record.architecture_id] = describe(Architecture.from_dict(form), self._task)

    def predict(self, architecture: Architecture) -> Interval | None:
        """The latency of a network; None where too few were measured, or none like it at this resolution."""
        calibration = self._fitted()
        if calibration is None or architecture.task_of(self._task) != self._task:
            return None
        network = describe(architecture, self._task)
        if calibration.unseen(network):
            return None
        ms, low, high = (float(one[0]) for one in calibration.predict([network]))
        return Interval(ms=ms, low=low, high=high)

    def _fitted(self) -> Calibration | None:
        enough = self.n // _EVERY * _EVERY
        if enough < LEAST:
            return None
        if self._calibration is None or self._calibration.n < enough:
            chosen = list(self._times)[:enough]
            networks, times = [self._networks[one] for one in chosen], [self._times[one] for one in chosen]
            self._calibration = calibrate(networks, times, models={"boosting": Boosting}, trivial={})
        return self._calibration
