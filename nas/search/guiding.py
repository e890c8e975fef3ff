"""What samplers guess latencies by: the networks that were measured before a study began, kept in its definition.

Kept, for a study that is resumed must ask what an uninterrupted one would have asked.
"""

from __future__ import annotations

from dataclasses import replace

from nas.architecture import Architecture, estimate
from nas.ledger import Ledger
from nas.search.definition import StudyDefinition
from nas.search.gauge import Gauge
from nas.search.guide import Guide, require_enough


def guided(definition: StudyDefinition, gauge: Gauge | None, ledger: Ledger) -> StudyDefinition:
    """The definition with measured networks for each latency among its objectives.

    Raises:
        UserError: too few were measured; the message has the command that measures some.
    """
    wanted = [metric for metric in definition.objectives.costs if metric in definition.profiles]
    if gauge is None or not wanted:
        return definition
    forms = ledger.measured_architectures()
    found: dict[str, list[Guide]] = {}
    for metric in wanted:
        times = {identity: one.ms for identity, one in gauge.known(metric).items() if one.ms is not None}
        require_enough(len(times), metric, definition.space.name)
        found[metric] = []
        for identity in sorted(times):
            cost = estimate(Architecture.from_dict(forms[identity]), definition.task)
            found[metric].append(Guide(cost.flops, cost.activations, times[identity]))
    return replace(definition, guided_by=found)
