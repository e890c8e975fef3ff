"""What a study found, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist, fmean, variance

from nas.analysis.bootstrap import Estimate
from nas.analysis.effects.importance import at_equal_cost
from nas.analysis.effects.table import MARGIN, Finding
from nas.analysis.outcomes import Origin, Outcome
from nas.report.study.rows import NO_BUDGET, StudyRows
from nas.units import format_count, format_seconds, plural

_LEAST = 5  # candidates on either side of a comparison with chance
_NAMED = 3  # values of decisions in a sentence
_GROWTH = 1e-3  # of the hypervolume; less does not count as any


def findings(rows: StudyRows) -> tuple[str, ...]:
    """The sentences, the most important one first."""
    if not rows.candidates:
        return tuple(_nothing(rows))
    return (
        *_front(rows),
        *_trade(rows),
        *_growth(rows),
        *_control(rows),
        *_decisions(rows),
        *_troubles(rows),
        *_caution(rows),
    )


def metric_words(metric: str, value: float) -> str:
    """A cost with its unit.

    >>> metric_words("flops", 4.5e9), metric_words("latency@torch-cpu", 8.2)
    ('4.5G FLOPs', '8.2 ms on torch-cpu')
    """
    name, _, profile = metric.partition("@")
    if profile:
        return f"{value:.3g} ms on {profile}"
    words = {"flops": "FLOPs", "params": "parameters"}
    return f"{format_count(value)} {words.get(name, name.replace('_', ' '))}"


def _nothing(rows: StudyRows) -> Iterator[str]:
    yield "No candidate has an accuracy yet, so there is no front."
    if rows.failures:
        most = rows.failures[0]
        yield f"{plural(rows.spent.failed, 'training')} failed, most by {most.failure.replace('_', ' ')}."
    elif not rows.counts:
        yield "The study holds no candidate."


def _front(rows: StudyRows) -> Iterator[str]:
    best = max(rows.front, key=lambda one: one.accuracy)
    within = f"within {rows.budget}" if rows.budget != NO_BUDGET else "without a budget"
    prices = ", ".join(metric_words(cost, best.costs[cost]) for cost in rows.costs or ("flops",))
    stopped = len(rows.candidates) - len(rows.top)
    among = f", of which {len(rows.top):,} went on to the highest rung," if stopped else ""
    yield (
        f"The most accurate of {plural(len(rows.candidates), 'candidate')} {within}{among} is {best.id}: "
        f"{best.accuracy:.1%} on the validation images at {prices}."
    )
    if rows.costs:
        named = " and ".join(metric_words(cost, 0).partition(" ")[2] for cost in rows.costs)
        yield f"The front of accuracy against {named} has {plural(len(rows.front), 'candidate')}."


def _trade(rows: StudyRows) -> Iterator[str]:
    """What a cheaper network of the front gives up."""
    if len(rows.costs) != 1 or len(rows.front) < 2:
        return
    cost = rows.costs[0]
    best = max(rows.front, key=lambda one: one.accuracy)
    cheaper = [one for one in rows.front if one.costs[cost] <= best.costs[cost] / 2]
    if cheaper:
        other = max(cheaper, key=lambda one: one.accuracy)
        yield (
            f"At half of its cost or less, {other.id} ({metric_words(cost, other.costs[cost])}) gives up "
            f"{(best.accuracy - other.accuracy) * 100:.1f} points and reaches {other.accuracy:.1%}."
        )


def _growth(rows: StudyRows) -> Iterator[str]:
    curve = next((one for one in rows.volume if one.name == "search"), None)
    if curve is None or len(curve.steps) < 3:
        return
    last, whole = curve.steps[-1], curve.steps[-1].share
    grown = max(
        (new.trainings for old, new in zip(curve.steps, curve.steps[1:], strict=False) if _grew(old.share, new.share)),
        default=0,
    )
    idle = last.trainings - grown
    if whole and idle > 0.3 * last.trainings:
        yield f"The front has hardly grown in the last {idle} of {plural(last.trainings, 'training')}: it may be done."
    elif whole:
        yield (
            f"The front still grew at training {grown} of {last.trainings}: "
            "more trainings may well find better candidates."
        )


def _grew(before: float, after: float) -> bool:
    return after > before * (1 + _GROWTH)


def _control(rows: StudyRows) -> Iterator[str]:
    """Search against chance, at equal cost: chance alone has no reason to choose cheap or dear networks."""
    analysis = rows.analysis
    found = None if analysis is None else _search_gain(analysis.outcomes, analysis.cost)
    if found is None:
        return
    value, low, high = (100 * one for one in found)
    verdict = "better than chance" if low > 0 else "worse than chance" if high < 0 else "not told apart from chance"
    where = " after the first rung" if len(rows.rung_epochs) > 1 else ""
    yield (
        f"At equal cost, the candidates that the sampler chose are {value:+.1f} points ({low:+.1f} to {high:+.1f}, "
        f"95 %) against those drawn at random, on average{where}: {verdict}."
    )


def _search_gain(outcomes: Sequence[Outcome], cost: str) -> Estimate | None:
    """Mean accuracy at equal cost of chosen candidates above that of random ones, with its 95 % interval.

    The interval is Welch's (Biometrika 34, 1947) with normal quantiles; None for too few of either.
    """
    if not outcomes:
        return None
    above = at_equal_cost(outcomes, cost)
    by: dict[Origin, list[float]] = {origin: [] for origin in Origin}
    for value, one in zip(above, outcomes, strict=True):
        by[one.origin].append(float(value))
    chosen, drawn = by[Origin.CHOSEN], by[Origin.RANDOM]
    if min(len(chosen), len(drawn)) < _LEAST:
        return None
    value = fmean(chosen) - fmean(drawn)
    half = NormalDist().inv_cdf(0.975) * math.sqrt(variance(chosen) / len(chosen) + variance(drawn) / len(drawn))
    return Estimate(value, value - half, value + half)


def _decisions(rows: StudyRows) -> Iterator[str]:
    """The values that surely help or hurt."""
    effects = () if rows.analysis is None else rows.analysis.effects
    for finding in (Finding.HELPS, Finding.HURTS):
        some = [one for one in effects if one.finding is finding and abs(one.effect or 0) >= MARGIN]
        some.sort(key=lambda one: -abs(one.effect or 0))
        if some:
            named = ", ".join(
                f"{one.decision} = {one.value} ({100 * (one.effect or 0):+.1f} points)" for one in some[:_NAMED]
            )
            yield f"At equal cost, what {finding}: {named}."


def _troubles(rows: StudyRows) -> Iterator[str]:
    spent = rows.spent
    if spent.failed:
        reasons = ", ".join(dict.fromkeys(one.failure.replace("_", " ") for one in rows.failures))
        yield (
            f"{plural(spent.failed, 'training')} of {spent.trainings} failed ({reasons}), "
            f"which took {format_seconds(spent.failed_seconds)} of {format_seconds(spent.seconds)}."
        )


def _caution(rows: StudyRows) -> Iterator[str]:
    if len(rows.candidates) > len(rows.top):
        yield "Accuracies of different rungs are not compared: the front is of the highest one."
    yield (
        "These accuracies chose the front, so they flatter it: the best of many noisy measurements is a lucky one. "
        "`nas export` measures a candidate on test images that no search has seen."
    )
