"""A pulse as Prometheus reads it: its text exposition format, version 0.0.4.

A metric is absent while its value is unknown. Every sample carries the label `study`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric as PrometheusMetric
from prometheus_client.registry import Collector

from nas.pulse import Pulse, RungState

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

Sample = tuple[Mapping[str, str], float | None]
"""Labels beside `study`, and the value."""


class Kind(StrEnum):
    """What a value does: a counter only grows, as long as the driver lives."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name, what it means, and its samples in a pulse."""

    name: str
    kind: Kind
    meaning: str
    samples: Callable[[Pulse], Iterable[Sample]]


def exposition(pulse: Pulse, *, age: float) -> str:
    """Every metric of a pulse that is `age` seconds old.

    >>> print(exposition(Pulse(study="mine", front=3), age=1.5).splitlines()[-1])
    nas_front_candidates{study="mine"} 3.0
    """
    ages = Metric("nas_pulse_age_seconds", Kind.GAUGE, _AGE, lambda _: [({}, age)])
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families([family for one in (ages, *METRICS) if (family := _family(one, pulse)).samples]))
    return generate_latest(registry).decode()


class _Families(Collector):
    """What is known, in its order."""

    def __init__(self, families: Sequence[PrometheusMetric]) -> None:
        self._families = families

    def collect(self) -> Iterable[PrometheusMetric]:
        return self._families


def _family(metric: Metric, pulse: Pulse) -> PrometheusMetric:
    """A metric with the samples whose value is known."""
    family = PrometheusMetric(metric.name.removesuffix("_total"), metric.meaning, metric.kind.value)
    for labels, value in metric.samples(pulse):
        if value is not None:
            family.add_sample(metric.name, {"study": pulse.study, **labels}, value)
    return family


def _of_rungs(value: Callable[[RungState], int]) -> Callable[[Pulse], Iterable[Sample]]:
    return lambda pulse: [({"rung": str(rung)}, value(state)) for rung, state in enumerate(pulse.rungs)]


def _workers(pulse: Pulse) -> Iterable[Sample]:
    for node in pulse.nodes:
        yield {"node": node.name, "state": "busy"}, node.busy
        yield {"node": node.name, "state": "idle"}, node.workers - node.busy


_AGE = "Seconds since the driver said what follows; it says so every few seconds."

METRICS = (
    Metric(
        "nas_trials",
        Kind.GAUGE,
        "Trials by state: queued, stopped (at a lower rung), done, reused, failed, rejected (over budget).",
        lambda pulse: [({"state": state.value}, count) for state, count in pulse.trials.items()],
    ),
    Metric(
        "nas_target_candidates",
        Kind.GAUGE,
        "Candidates asked for; absent where something else ends the search.",
        lambda pulse: [({}, pulse.target)],
    ),
    Metric(
        "nas_rung_arrived",
        Kind.GAUGE,
        "Candidates that have reached a rung (0 is the cheapest).",
        _of_rungs(lambda rung: rung.arrived),
    ),
    Metric(
        "nas_rung_promoted",
        Kind.GAUGE,
        "Candidates that went on from a rung to the next.",
        _of_rungs(lambda rung: rung.promoted),
    ),
    Metric(
        "nas_rung_waiting",
        Kind.GAUGE,
        "Candidates at a rung that may still go on.",
        _of_rungs(lambda rung: rung.waiting),
    ),
    Metric("nas_workers", Kind.GAUGE, "Workers that are ready, by node and by whether they train.", _workers),
    Metric("nas_worker_slots", Kind.GAUGE, "Workers there would be at best.", lambda pulse: [({}, pulse.slots)]),
    Metric(
        "nas_failed_trainings_total",
        Kind.COUNTER,
        "Failed trainings by type; node_lost is a worker that ended with its training.",
        lambda pulse: [({"type": failure.value}, count) for failure, count in pulse.failures.items()],
    ),
    Metric(
        "nas_training_seconds_total",
        Kind.COUNTER,
        "Seconds that workers spent on the trainings of the study.",
        lambda pulse: [({}, pulse.train_seconds)],
    ),
    Metric(
        "nas_images_per_second",
        Kind.GAUGE,
        "Training images a second of the busy workers of a node, at the pace of its latest trainings.",
        lambda pulse: [({"node": node.name}, node.images_per_second) for node in pulse.nodes],
    ),
    Metric(
        "nas_training_peak_memory_bytes",
        Kind.GAUGE,
        "The most memory that a recent training on a node took: of its GPU, or of its process where it had none.",
        lambda pulse: [({"node": node.name}, node.peak_memory) for node in pulse.nodes],
    ),
    Metric(
        "nas_best_accuracy_ratio",
        Kind.GAUGE,
        "Validation accuracy of the best candidate at the highest rung reached, in [0, 1].",
        lambda pulse: [({}, pulse.best_accuracy)],
    ),
    Metric("nas_run_seconds", Kind.GAUGE, "Seconds since this run began.", lambda pulse: [({}, pulse.seconds)]),
    Metric(
        "nas_remaining_seconds",
        Kind.GAUGE,
        "Seconds until the search ends, at the pace so far.",
        lambda pulse: [({}, pulse.seconds_left)],
    ),
    Metric("nas_front_candidates", Kind.GAUGE, "Candidates on the Pareto front.", lambda pulse: [({}, pulse.front)]),
)
"""Everything that is told of a pulse, in this order."""
