"""An analysis in the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from nas.analysis.confirmation import Confirmed
from nas.analysis.effects.best_values import BestValues
from nas.analysis.effects.importance import Importances
from nas.analysis.effects.interactions import Interactions
from nas.analysis.effects.narrowing import Cut
from nas.analysis.effects.table import MARGIN, Effect, Finding
from nas.analysis.gain import Gain
from nas.analysis.luck import Luck, NoiseFrom
from nas.analysis.outcomes import Origin
from nas.cli.tables import table
from nas.report.analysis import Analysis
from nas.report.populations import Contest
from nas.report.words import metric_label
from nas.units import format_count, plural

if TYPE_CHECKING:  # it brings torch along
    from nas.report.ablation import Step

_STYLES = {Finding.HELPS: "green", Finding.HURTS: "red", Finding.NO_MATTER: "dim", Finding.CANNOT_TELL: "dim"}


_SHOWN = 0.01  # importance; a space of a hundred decisions has many that decide nothing
_SURE = 0.05  # p


def effects_table(effects: Sequence[Effect], cost: str) -> Table:
    """What each value is worth, a row a value."""
    made = table(
        f"Effect on accuracy at equal {metric_label(cost)}, in points of top-1",
        "decision", "value", ">seen", ">effect", ">95% interval", "finding",
        caption=f"Against the average over the decision's values. The intervals hold together. No matter: less than "
        f"{100 * MARGIN:g} points, surely. stages.*: in every stage at once.",
    )  # fmt: skip
    before = ""
    for one in effects:
        name = one.decision if one.decision != before else ""
        before = one.decision
        effect = "-" if one.effect is None else points(one.effect)
        between = "-" if one.low is None or one.high is None else f"{points(one.low)} to {points(one.high)}"
        why = f": {one.why}" if one.why and one.effect is None else ""
        made.add_row(
            name, one.value, str(one.candidates), effect, between, f"{one.finding}{why}", style=_STYLES[one.finding]
        )
    return made


def unsaid(analysis: Analysis) -> str:
    """What the table does not show, and why."""
    silent = [one for one in analysis.effects if one.finding is Finding.CANNOT_TELL]
    decisions = len({one.decision for one in silent})
    more = "" if analysis.model.doubt else " More random candidates narrow the intervals."
    return f"{plural(len(silent), 'value')} of {plural(decisions, 'decision')} cannot be told (`--all`).{more}"


def importances_table(
    found: Importances,
    best: Sequence[BestValues],
    cost: str,
    theirs: Mapping[str, Mapping[str, float]],
    *,
    everything: bool,
) -> Table:
    """How much each decision decides who is among the best; those that decide nothing only where all is wanted."""
    shown = [one for one in found.rows if everything or one.importance >= _SHOWN or one.p < _SURE]
    left = len(found.rows) - len(shown)
    more = f" {plural(left, 'decision')} below {_SHOWN:.0%} not shown (`--all`)." * bool(left)
    whose = "drawn at random" if found.origin is Origin.RANDOM else "as the sampler chose them: its taste is in it"
    made = table(
        f"Importance for being among the best {found.target:.0%} at equal {metric_label(cost)} (conditional PED-ANOVA)",
        "decision", ">importance", ">p", *(f">Optuna's {name}" for name in theirs), "the best has",
        caption=f"Of {plural(found.candidates, 'candidate')}, {whose}. p: by random orders, adjusted (Holm). "
        f"The best has: in 95 of 100 draws of a quarter of them.{more}",
    )  # fmt: skip
    values = {one.decision: one for one in best}
    for one in shown:
        likely = values[one.decision]
        has = ", ".join(likely.likely) if likely.is_narrow else "any"
        style = "" if one.p < _SURE else "dim"
        beside = [f"{some[one.decision]:.0%}" if one.decision in some else "-" for some in theirs.values()]
        made.add_row(one.decision, f"{one.importance:.0%}", f"{one.p:.2g}", *beside, has, style=style)
    return made


def interactions_table(found: Interactions) -> Table | str:
    """Pairs that are worth more together."""
    surely = [one for one in found.rows if one.p < 0.05]
    if found.doubt:
        return f"Interactions cannot be told: {found.doubt}."
    if not surely:
        return f"No interaction among {plural(found.tested, 'pair')} of decisions is beyond chance."
    made = table(
        "Pairs that are worth more together than by themselves, in points of top-1",
        "decisions", "values", ">extra", ">95% interval", ">p",
        caption="p: of all values of a pair at once, adjusted (Holm). Intervals: of the values shown; those of all "
        "pairs hold together, so that one may hold 0 where its pair is sure.",
    )  # fmt: skip
    for one in surely:
        made.add_row(
            " and ".join(one.decisions),
            " and ".join(one.values),
            points(one.effect),
            f"{points(one.low)} to {points(one.high)}",
            f"{one.p:.2g}",
        )
    return made


def steps_table(steps: Sequence[Step]) -> Table:
    """The way to the best network."""
    made = table(
        "The way to the best, in points of top-1",
        "change", "network", ">FLOPs", ">params", ">expected", ">95% interval", ">measured",
        caption="Expected: by the model of the effects, what the change costs or saves in FLOPs included. The "
        "intervals hold together.",
    )  # fmt: skip
    for one in steps:
        change = f"{one.decision} {_value(one.before)} > {_value(one.now)}" if one.decision else "begin with"
        with_it = f" (with {', '.join(one.also)})" if one.also else ""
        made.add_row(
            change + with_it,
            one.id,
            format_count(one.flops),
            format_count(one.params),
            "" if one.gain is None else points(one.gain),
            "" if one.low is None or one.high is None else f"{points(one.low)} to {points(one.high)}",
            "" if one.accuracy is None else f"{one.accuracy:.1%}",
        )
    return made


def luck_of_the_front(luck: Luck) -> str:
    """What the accuracies on the front are expected to lose."""
    if luck.noise is None or luck.shrinkage is None:
        return f"How lucky the front is cannot be told: {luck.doubt}. `nas pareto --confirm 3` trains it again."
    source = "by networks that were trained twice" if luck.noise.source is NoiseFrom.SEEDS else "at most"
    best = max(luck.rows, key=lambda one: one.accuracy)
    return (
        f"The front was chosen by these very accuracies, and a training scatters by {100 * luck.noise.deviation:.1f} "
        f"points ({source}): under another seed its {plural(len(luck.rows), 'network')} can be expected to lose "
        f"{100 * luck.shrinkage:.1f} points on average; the best {best.accuracy:.1%} becomes {best.expected:.1%} "
        f"({best.low:.1%} to {best.high:.1%})."
    )


def contests_table(contests: Sequence[Contest]) -> Table:
    """Populations at equal cost."""
    made = table(
        "Populations at equal cost, in points of top-1",
        "of", "first", "second", ">networks", ">second - first", ">95% interval", ">KS", ">p",
        caption="KS: largest distance of the two distributions of errors; p: by permutations within bins of equal "
        "cost, each row by itself.",
    )  # fmt: skip
    for one in contests:
        if one.comparison is not None:
            found = one.comparison
            made.add_row(
                one.about,
                one.first,
                one.second,
                f"{found.first.networks} + {found.second.networks}",
                points(found.gain.value),
                f"{points(found.gain.low)} to {points(found.gain.high)}",
                f"{found.distance:.2f}",
                f"{found.p:.2g}",
                style="" if found.p < 0.05 and not found.doubt else "dim",
            )
    return made


def refusals(contests: Sequence[Contest]) -> list[str]:
    """What could not be compared, or not fairly."""
    doubts = dict.fromkeys(
        one.comparison.doubt for one in contests if one.comparison is not None and one.comparison.doubt
    )
    return [*(f"{doubt}." for doubt in doubts), *(f"{one.about}: {one.why}." for one in contests if one.why)]


def cuts_table(cuts: Sequence[Cut], cost: str, *, where: str = "") -> Table:
    """What a refined space does without, or could in some stages."""
    made = table(
        f"Worse beyond doubt{where} at equal {metric_label(cost)}, in points of top-1",
        "decision", "without", "against", ">difference", ">95% interval",
    )  # fmt: skip
    for cut in cuts:
        for loss in cut.losses:
            found = loss.evidence
            if found.effect is not None and found.low is not None and found.high is not None:
                between = f"{points(-found.high)} to {points(-found.low)}"
                made.add_row(found.decision, loss.level.label, found.value.label, points(-found.effect), between)
    return made


def gain_sentences(gained: Gain, cost: str) -> list[str]:
    """What fresh networks of both spaces have shown."""
    plain, equal = gained.plain, gained.at_equal_cost
    said = [
        f"Fresh random networks: {gained.first} of the old space {gained.first_mean:.1%} on average, {gained.second} "
        f"of the refined one {gained.second_mean:.1%}: {points(plain.value)} points ({points(plain.low)} to "
        f"{points(plain.high)})."
    ]
    if math.isfinite(equal.value):
        said.append(
            f"At equal {metric_label(cost)}: {points(equal.value)} points "
            f"({points(equal.low)} to {points(equal.high)})."
        )
    return said


def confirmed_table(rows: Sequence[Confirmed]) -> Table:
    """A front beside what it is under other seeds."""
    made = table(
        "The front under other seeds", "id", ">FLOPs", ">found with", ">confirmed", ">95% interval", ">seeds", "remains"
    )
    for one in rows:
        low_high = "-" if one.low is None or one.high is None else f"{one.low:.1%} to {one.high:.1%}"
        made.add_row(
            one.id,
            format_count(one.flops),
            f"{one.accuracy:.1%}",
            "-" if one.confirmed is None else f"{one.confirmed:.1%}",
            low_high,
            str(one.seeds),
            "yes" if one.remains else "no",
            style="" if one.remains else "dim",
        )
    return made


def _value(value: object) -> str:
    return "null" if value is None else str(value)


def points(accuracy: float) -> str:
    """A difference of accuracies in points of a hundred."""
    return f"{100 * accuracy:+.2f}"
