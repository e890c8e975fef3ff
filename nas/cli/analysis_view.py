"""An analysis in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from nas.analysis.effects.importance import Importances
from nas.analysis.effects.interactions import Interactions
from nas.analysis.effects.table import MARGIN, Effect, Finding
from nas.analysis.outcomes import Origin
from nas.cli.tables import table
from nas.report.analysis import Analysis
from nas.report.front_plot import axis_label
from nas.units import plural

_STYLES = {Finding.HELPS: "green", Finding.HURTS: "red", Finding.NO_MATTER: "dim", Finding.CANNOT_TELL: "dim"}


def effects_table(effects: Sequence[Effect], cost: str) -> Table:
    """What each value is worth, a row a value."""
    made = table(
        f"Effect on accuracy at equal {axis_label(cost)}, in points of top-1",
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
    more = "" if analysis.doubt else " More random candidates narrow the intervals."
    return f"{plural(len(silent), 'value')} of {plural(decisions, 'decision')} cannot be told (`--all`).{more}"


def importances_table(found: Importances, cost: str) -> Table:
    """How much each decision decides who is among the best."""
    whose = "drawn at random" if found.origin is Origin.RANDOM else "as the sampler chose them: its taste is in it"
    made = table(
        f"Importance for being among the best {found.target:.0%} at equal {axis_label(cost)} (conditional PED-ANOVA)",
        "decision", ">importance", ">p",
        caption=f"Of {plural(found.candidates, 'candidate')}, {whose}. p: by random orders, adjusted (Holm).",
    )  # fmt: skip
    for one in found.rows:
        made.add_row(one.decision, f"{one.importance:.0%}", f"{one.p:.2g}", style="" if one.p < 0.05 else "dim")
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


def points(accuracy: float) -> str:
    """A difference of accuracies in points of a hundred."""
    return f"{100 * accuracy:+.2f}"
