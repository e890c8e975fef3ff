"""A trust report in words: the table's cells, a Markdown file, and what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nas.analysis.bootstrap import Estimate
from nas.analysis.trust import BAND, MARGIN, Judgement, Trust, Verdict
from nas.report.markdown import grid
from nas.report.trust import TOPS, TrustReport, TrustRow
from nas.train.recipe import Recipe
from nas.units import format_count, plural

HEADS = (
    "ranking", ">tau", ">at equal FLOPs", ">bands", ">regret@1", f">regret@{TOPS[-1]}",
    ">s", ">of ref.", "verdict",
)  # fmt: skip
"""Heads of the table; those with a '>' are aligned to the right."""
_COUNTED = {"params": "parameters", "flops": "FLOPs"}


def markdown(report: TrustReport) -> str:
    """The report as a file that can be committed."""
    lines = [f"# {report.plan.name}", "", conditions(report), ""]
    lines += grid(HEADS, [*(cells(row) for row in report.rows), random_cells(report.trust)])
    lines += ["", *notes(report), "", *(f"* {sentence}" for sentence in sentences(report))]
    return "\n".join(lines) + "\n"


def cells(row: TrustRow) -> tuple[str, ...]:
    """A row of the table, in words."""
    price = (_seconds_shown(row.seconds), _share_shown(row.share))
    one = row.judgement
    if one is None:
        return (row.name, *["-"] * 5, *price, f"not finite for {plural(row.missing, 'architecture')}")
    return (
        row.name,
        estimate_shown(one.tau),
        estimate_shown(one.tau_at_equal_cost),
        _number(one.tau_in_bands),
        *(_points(one.regret[top]) for top in TOPS),
        *price,
        one.verdict or "trivial",
    )


def random_cells(trust: Trust) -> tuple[str, ...]:
    """The row of a random order."""
    return ("random", "0", "0", "0", *(_points(trust.random_regret[top]) for top in TOPS), "0", "0%", "trivial")


def notes(report: TrustReport) -> list[str]:
    """What the columns are, and how far the reference agrees with itself."""
    ceiling = report.trust.ceiling
    lines = [
        "tau: Kendall's tau-b of one training's ranking with the reference's mean accuracy, averaged over the seeds. "
        f"At equal FLOPs: partial tau. Bands: tau of pairs among {BAND} or more neighbours in FLOPs. Regret: reference "
        f"accuracy, in points, lost by taking the ranking's first, or the best of its first {TOPS[-1]}. s, of ref.: "
        "seconds of one architecture up to there, and as a share of the reference's. In brackets: 95% intervals, "
        "bootstrap over architectures.",
        "",
    ]
    if math.isfinite(ceiling["perfect"].value):
        lines.append(
            "Noise ceiling: one seed of the reference against the mean of its others reaches "
            f"{estimate_shown(ceiling['one_seed'])}. From the agreement of single seeds, by Greiner's relation and the "
            f"Spearman-Brown formula, one more training would reach {estimate_shown(ceiling['one_training'])} and a "
            f"perfect proxy {estimate_shown(ceiling['perfect'])}. One training of the reference takes "
            f"{_seconds_shown(report.reference_seconds)} s."
        )
    else:
        lines.append("Noise ceiling: unknown, because the reference has a single seed; take --seeds 2 or more.")
    return lines


def conditions(report: TrustReport) -> str:
    """What was compared, in a paragraph."""
    plan = report.plan
    flops = [one.flops for one in report.architectures]
    left_out = [f"{one.id} ({one.failure})" for one in report.architectures if one.failure]
    return (
        f"{plural(len(report.architectures), 'architecture')} of {plan.space.name} within {plan.budget} "
        f"({format_count(min(flops))} to {format_count(max(flops))} FLOPs at {plan.task.resolution}x"
        f"{plan.task.resolution}), {plural(plan.seeds, 'seed')} each, on {plan.data.partition(':')[0]} "
        f"({plan.fingerprint}), validation accuracy. Proxy {plan.proxy.id}: {rung_words(plan.proxy)}. "
        f"Reference {plan.reference.id}: {last_words(plan.reference)}."
        + (f" Left out: {'; '.join(left_out)}." if left_out else "")
    )


def sentences(report: TrustReport) -> list[str]:
    """What to do: one sentence for every rung, and one for the zero-cost scores."""
    trivial = _best_trivial(report.rows)
    rungs = [
        _about_rung(row, row.judgement, trivial, report.judged)
        for row in report.rows
        if row.kind == "rung" and row.judgement is not None
    ]
    return [*rungs, *_about_scores(report.rows, trivial)]


def _about_rung(row: TrustRow, one: Judgement, trivial: str, architectures: int) -> str:
    ahead = f"{one.advantage.value:+.2f} in tau ({one.advantage.low:+.2f}, {one.advantage.high:+.2f})"
    if one.verdict is Verdict.USE:
        return (
            f"Use {row.name}: it ranks better than {trivial}, by {ahead}, at {_share_shown(row.share)} of the "
            f"reference's time. {_at_equal_cost(one)}"
        )
    if one.verdict is Verdict.DO_NOT:
        return f"Do not use {row.name}: it ranks hardly better than {trivial}, or worse, by {ahead}."
    more = f"; about {one.needed} would settle a difference of this size" if one.needed else ""
    return (
        f"{row.name.capitalize()}: cannot tell from {plural(architectures, 'architecture')} whether it ranks better "
        f"than {trivial}; the difference is {ahead}{more}."
    )


def _at_equal_cost(one: Judgement) -> str:
    shown = estimate_shown(one.tau_at_equal_cost)
    if one.tau_at_equal_cost.low > 0:
        return f"It also tells networks of equal FLOPs apart: {shown}."
    return f"Among networks of equal FLOPs it may tell nothing, {shown}: do not rely on it inside a narrow budget."


def _about_scores(rows: Sequence[TrustRow], trivial: str) -> list[str]:
    judged = {row.name: row.judgement for row in rows if row.kind == "score" and row.judgement is not None}
    if not judged:
        return []
    useful = [name for name, one in judged.items() if one.verdict is Verdict.USE]
    unclear = [name for name, one in judged.items() if one.verdict is Verdict.CANNOT_TELL]
    if useful:
        return [f"Of the zero-cost scores, use {' or '.join(useful)}: better than {trivial} beyond doubt."]
    if unclear:
        return [f"No zero-cost score is better than {trivial} beyond doubt; for {', '.join(unclear)} one cannot tell."]
    return [f"Use no zero-cost score: none has an advantage of {MARGIN} in tau over {trivial}."]


def _best_trivial(rows: Sequence[TrustRow]) -> str:
    """The ranking without a training that is the hardest to beat, in words."""
    taus = {row.name: row.judgement.tau.value for row in rows if row.kind == "trivial" and row.judgement is not None}
    best = max(taus, key=lambda name: taus[name], default="")
    return f"counting {_COUNTED.get(best, best)}" if taus.get(best, 0) > 0 else "a random order"


def rung_words(recipe: Recipe) -> str:
    """The rungs of a proxy."""
    return "; ".join(
        f"rung {one.rung} is {plural(one.epochs, 'epoch')}, {one.resolution}x{one.resolution}, "
        f"{one.data_share:.0%} of the images"
        for one in recipe.fidelities
    )


def last_words(recipe: Recipe) -> str:
    """The end of a reference."""
    last = recipe.fidelities[-1]
    return f"{plural(last.epochs, 'epoch')}, {last.resolution}x{last.resolution}, {last.data_share:.0%} of the images"


def estimate_shown(one: Estimate) -> str:
    """0.52 (0.31, 0.68)."""
    if not math.isfinite(one.value):
        return "-"
    return f"{one.value:.2f}" if not math.isfinite(one.low) else f"{one.value:.2f} ({one.low:.2f}, {one.high:.2f})"


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "-"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _share_shown(share: float) -> str:
    return f"{share:.2%}" if share < 0.01 else f"{share:.0%}"


def _seconds_shown(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:,.0f}"
