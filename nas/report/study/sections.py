"""The parts of the page that stand still, one function a topic; each says in words where there is nothing to show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from nas.analysis.effects.importance import Importances
from nas.analysis.effects.table import MARGIN, Effect, Finding
from nas.analysis.outcomes import Origin
from nas.records import StudyKind
from nas.report.proxy_health import HealthLine, health_lines, state_words
from nas.report.study.figures import Axis, Line, line_figure
from nas.report.study.rows import FailureRow, FullTraining, LearningCurve, StudyRows, VolumeCurve
from nas.report.words import metric_label, percent
from nas.units import format_bytes, format_count, format_seconds, plural

_HOSTS = 8  # that are named
_NAMED = 6  # important decisions
_P = 0.05
_STATES = {Finding.HELPS: "good", Finding.HURTS: "poor"}
_FACTS = ("kind", "space", "budget", "task", "data", "objectives", "sampler", "control")


def volume_section(study: StudyRows) -> str:
    """Hypervolume against trainings, epochs and seconds."""
    if not study.volume:
        return _nothing(
            "No two candidates of the highest rung span a volume yet."
            if study.kind == StudyKind.SEARCH
            else "A comparison is given its architectures: its front does not grow."
        )
    share = Axis(label="", words=lambda value: f"{value:.0%}", least=(0.0, 1.0))
    figures = []
    for name, label, unit in (("trainings", "trainings", 1.0), ("epochs", "epochs", 1.0), ("seconds", *_unit(study))):
        lines = [_volume_line(curve, place, name, unit) for place, curve in enumerate(study.volume)]
        if max(max(line.xs) for line in lines) > 0:
            title = f"Share of the hypervolume by {label}"
            figures.append(line_figure(lines, Axis(label=label, words=format_count), share, title=title))
    legend = "".join(
        f'<li><span class="key v{place}"></span>{escape(curve.name)} ({plural(curve.candidates, "candidate")})</li>'
        for place, curve in enumerate(study.volume)
    )
    return (
        '<p class="soft">Share of the hypervolume of everything found: accuracy above the median, over log cost. '
        f'The random control is held against its own work.</p><ul class="legend">{legend}</ul>{_figures(figures)}'
    )


def curve_section(study: StudyRows) -> str:
    """Accuracy by rung, and training loss by epoch."""
    epochs = Axis(label="epochs", words=lambda value: f"{value:g}", is_count=True)
    several = [curve for curve in study.curves if len(curve.rungs) > 1]
    with_losses = [curve for curve in study.curves if len(curve.losses) > 1]
    figures = []
    if several:
        lines = [_rung_line(curve) for curve in _front_last(study.curves)]
        y = Axis(label="validation top-1", words=lambda value: f"{value:.0%}")
        figures.append(_titled("validation top-1 by rung", line_figure(lines, epochs, y, title="Accuracy by rung")))
    if with_losses:
        lines = [_loss_line(curve) for curve in _front_last(with_losses)]
        y = Axis(label="training loss", words=lambda value: f"{value:g}")
        figures.append(_titled("training loss by epoch", line_figure(lines, epochs, y, title="Training loss by epoch")))
    if not figures:
        return _nothing("No training has two epochs or two rungs to draw a line through.") + _full_trainings(study.full)
    shown = plural(len(study.curves), "candidate")
    said = f'<p class="soft">{shown}: of the front (strong) and of the others, evenly chosen.</p>'
    return said + _figures(figures) + _full_trainings(study.full)


def _full_trainings(full: Sequence[FullTraining]) -> str:
    """What candidates came to that were trained in full; nothing where there are none."""
    if not full:
        return ""
    epochs = Axis(label="epochs", words=lambda value: f"{value:g}", is_count=True)
    share = Axis(label="validation top-1", words=lambda value: f"{value:.0%}")
    loss = Axis(label="loss", words=lambda value: f"{value:g}")
    accuracies = [_full_line(one, "validation_accuracy", "strong") for one in full]
    losses = [_full_line(one, "train_loss", "faint") for one in full]
    losses += [_full_line(one, "validation_loss", "strong") for one in full]
    named = "".join(
        f"<li>{escape(one.name)}: <code>{escape(one.id)}</code>, {plural(len(one.epochs), 'epoch')}"
        + (f", {one.epochs[-1].validation_accuracy:.1%} at the end</li>" if one.epochs else "</li>")
        for one in full
    )
    figures = [
        _titled(
            "validation top-1", line_figure(accuracies, epochs, share, title="Accuracy of full trainings by epoch")
        ),
        _titled(
            "loss: validation (strong), training (faint)",
            line_figure(losses, epochs, loss, title="Losses of full trainings by epoch"),
        ),
    ]
    return f"<p>Trained in full, by <code>nas train</code>:</p><ul>{named}</ul>{_figures(figures)}"


def _full_line(one: FullTraining, what: str, style: str) -> Line:
    return Line(
        name=f"{one.name}: {what.replace('_', ' ')}",
        style=style,
        xs=[float(row.epoch) for row in one.epochs],
        ys=[getattr(row, what) for row in one.epochs],
    )


def decision_section(study: StudyRows) -> str:
    """Effects at equal cost, by value of each decision, as `nas analyze` has them."""
    analysis = study.analysis
    if analysis is None or not analysis.effects:
        return _nothing("There are no decisions with an accuracy to compare.")
    by = {finding: [one for one in analysis.effects if one.finding is finding] for finding in Finding}
    told = [one for one in analysis.effects if one.finding in (Finding.HELPS, Finding.HURTS)]
    sentences = "".join(f"<p>{escape(sentence)}.</p>" for sentence in analysis.sentences())
    return (
        f"{sentences}{_importances(analysis.importances)}{_effects(told, analysis.cost)}"
        + _folded(by[Finding.NO_MATTER], f"that surely matter less than {100 * MARGIN:g} points", analysis.cost)
        + _folded(by[Finding.CANNOT_TELL], "of which nothing can be told", analysis.cost)
    )


def _folded(effects: Sequence[Effect], what: str, cost: str) -> str:
    if not effects:
        return ""
    decisions = plural(len({one.decision for one in effects}), "decision")
    summary = f"{plural(len(effects), 'value')} of {decisions} {what}"
    return f"<details><summary>{escape(summary)}</summary>{_effects(effects, cost)}</details>"


def _effects(effects: Sequence[Effect], cost: str) -> str:
    """A table; nothing where there is none."""
    if not effects:
        return ""
    most = max((max(map(abs, _interval(one))) for one in effects if one.effect is not None), default=0.0) or 1.0
    body, before = [], ""
    for one in effects:
        body.append(_effect(one, most, is_first=one.decision != before))
        before = one.decision
    return (
        f'<p class="soft">Points of top-1 at equal {escape(metric_label(cost))}, against the average over the values '
        "of the decision; the intervals hold together.</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Effects of the decisions"><table>'
        '<thead><tr><th scope="col">decision</th><th scope="col">value</th><th scope="col">seen</th>'
        '<th scope="col">effect</th><th scope="col">95 % interval</th><th scope="col">finding</th>'
        f'<th scope="col"><span class="hidden">as a bar</span></th></tr></thead><tbody>{"".join(body)}</tbody>'
        "</table></div>"
    )


def health_section(study: StudyRows) -> str:
    """What accuracies tell of the proxy, and what would help."""
    if not study.health:
        return _nothing("No accuracy, so nothing is known of the proxy.")
    rows = "".join(
        f'<tr><th scope="row" class="label">{escape(line.what)}</th><td>{_rungs(study, line)}</td>'
        f'<td><span class="state {line.state}">{state_words(line.state)}</span></td>'
        f'<td class="words">{escape(line.says)}{". To help: " + escape(line.advice) if line.advice else ""}</td></tr>'
        for line in health_lines(study.health)
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Health of the proxy"><table><thead><tr>'
        '<th scope="col">what</th><th scope="col">rung</th><th scope="col">state</th><th scope="col">says</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def _rungs(study: StudyRows, line: HealthLine) -> str:
    """The rungs of a line, each with its epochs where they are known."""
    epochs = study.rung_epochs
    return ", ".join(
        f"{rung} ({plural(epochs[rung], 'epoch')})" if rung < len(epochs) else str(rung) for rung in line.rungs
    )


def failure_section(study: StudyRows) -> str:
    """Trainings that failed, alike ones together."""
    if not study.failures:
        return _nothing("No training failed.")
    return "".join(_failure(row) for row in study.failures)


def cost_section(study: StudyRows) -> str:
    """What the search took."""
    spent = study.spent
    facts = [
        ("trainings", f"{spent.trainings:,} (a rung is one), {spent.failed:,} failed"),
        ("candidates", ", ".join(f"{count:,} {state}" for state, count in study.counts.items()) or "none"),
        ("epochs, images", f"{spent.epochs:,} epochs, {format_count(spent.images)} images"),
        ("time of workers", f"{format_seconds(spent.seconds)}, of it {format_seconds(spent.train_seconds)} of steps"),
        ("on failures", format_seconds(spent.failed_seconds)),
        ("on the random control", format_seconds(spent.control_seconds)),
        ("known already", f"{plural(spent.reused, 'candidate')} from the ledger"),
        ("most memory", format_bytes(spent.peak_memory) if spent.peak_memory else "unknown"),
        ("energy", "not told by the devices" if spent.energy is None else f"{spent.energy / 3.6e6:.3g} kWh"),
        ("begun, last active", f"{_moment(study.created)}, {_moment(study.active)} UTC"),
        ("workers", _hosts(study)),
    ]
    whole = sum(spent.phases.values())
    if whole:
        phases = sorted(spent.phases.items(), key=lambda one: -one[1])
        facts.insert(4, ("went into", ", ".join(f"{name} {percent(seconds / whole)}" for name, seconds in phases)))
    return _facts(facts)


def repeat_section(study: StudyRows) -> str:
    """Space, budget, recipe, data, versions and the command."""
    definition, repeat = study.definition, study.repeat
    facts = [(name, _said(study, name)) for name in _FACTS if name == "kind" or definition.get(name) is not None]
    files = "".join(
        f'<details><summary>{escape(name)} <button type="button" class="controls" data-file="{escape(name)}">download'
        f"</button></summary><pre>{escape(text)}</pre></details>"
        for name, text in repeat.files.items()
    )
    notes = "".join(f"<li>{escape(one)}</li>" for one in repeat.missing)
    return (
        f"{_facts([*facts, *repeat.facts.items()])}"
        f'<p>With these files in a folder, this runs it again:</p><pre class="command">{escape(repeat.command)}</pre>'
        f"{files}" + (f'<ul class="soft">{notes}</ul>' if notes else "")
    )


def _nothing(words: str) -> str:
    return f'<p class="soft">{escape(words)}</p>'


def _figures(figures: Sequence[str]) -> str:
    return f'<div class="figures">{"".join(f"<figure>{one}</figure>" for one in figures)}</div>'


def _titled(title: str, figure: str) -> str:
    return f"<figcaption>{escape(title)}</figcaption>{figure}"


def _unit(study: StudyRows) -> tuple[str, float]:
    """In what the time of the workers is shown, and its seconds."""
    longest = max(curve.steps[-1].seconds for curve in study.volume)
    units = (("hours of workers", 3600.0), ("minutes of workers", 60.0))
    return next((unit for unit in units if longest >= 3 * unit[1]), ("seconds of workers", 1.0))


def _volume_line(curve: VolumeCurve, place: int, name: str, unit: float) -> Line:
    return Line(
        name=curve.name,
        style=f"v{place}",
        xs=[getattr(step, name) / unit for step in curve.steps],
        ys=[step.share for step in curve.steps],
        is_stepped=True,
    )


def _front_last(curves: Sequence[LearningCurve]) -> list[LearningCurve]:
    """So that the front is drawn over the others."""
    return sorted(curves, key=lambda curve: curve.is_front)


def _rung_line(curve: LearningCurve) -> Line:
    return Line(
        name=curve.id,
        style="strong" if curve.is_front else "faint",
        xs=[float(epochs) for epochs, _ in curve.rungs],
        ys=[accuracy for _, accuracy in curve.rungs],
    )


def _loss_line(curve: LearningCurve) -> Line:
    return Line(
        name=curve.id,
        style="strong" if curve.is_front else "faint",
        xs=[float(epoch) for epoch in range(1, len(curve.losses) + 1)],
        ys=list(curve.losses),
    )


def _importances(found: Importances | None) -> str:
    """The decisions that most decide who is among the best."""
    strong = [] if found is None else [one for one in found.rows if one.p < _P]
    if found is None or not strong:
        return _nothing("No decision surely decides who is among the best.")
    named = ", ".join(f"{one.decision} ({percent(one.importance)})" for one in strong[:_NAMED])
    taste = "" if found.origin is Origin.RANDOM else " The sampler's taste is in these figures."
    return (
        f"<p>What decides who is among the best {percent(found.target)} at equal cost (conditional PED-ANOVA): "
        f"{escape(named)}.{taste}</p>"
    )


def _interval(one: Effect) -> tuple[float, ...]:
    return tuple(value for value in (one.effect, one.low, one.high) if value is not None) or (0.0,)


def _effect(one: Effect, most: float, *, is_first: bool) -> str:
    between = "-" if one.low is None or one.high is None else f"{100 * one.low:+.2f} to {100 * one.high:+.2f}"
    effect = "-" if one.effect is None else f"{100 * one.effect:+.2f}"
    why = f": {one.why}" if one.why and one.effect is None else ""
    name = f'<th scope="row">{escape(one.decision)}</th>' if is_first else "<td></td>"
    return (
        f"<tr{' class=first' if is_first else ''}>{name}<td>{escape(one.value)}</td><td>{one.candidates:,}</td>"
        f'<td>{effect}</td><td>{between}</td><td class="finding {_STATES.get(one.finding, "")}">'
        f"{escape(one.finding + why)}</td><td>{_bar(one, most)}</td></tr>"
    )


def _bar(one: Effect, most: float) -> str:
    """The effect as a dot and its interval as a line, around 0 in the middle."""
    if one.effect is None:
        return ""
    line = ""
    if one.low is not None and one.high is not None:
        line = f'<line x1="{60 + 56 * one.low / most:.1f}" x2="{60 + 56 * one.high / most:.1f}" y1="7" y2="7"/>'
    return (
        '<svg class="interval" viewBox="0 0 120 14" width="120" height="14" aria-hidden="true">'
        f'<line class="grid" x1="60" x2="60" y1="0" y2="14"/>{line}'
        f'<circle cx="{60 + 56 * one.effect / most:.1f}" cy="7" r="3"/></svg>'
    )


def _failure(row: FailureRow) -> str:
    trace = f"<pre>{escape(row.traceback)}</pre>" if row.traceback else _nothing("No traceback was kept.")
    return (
        f"<details><summary><strong>{escape(row.failure.replace('_', ' '))}</strong> {row.count:,} times, "
        f"{format_seconds(row.seconds)}: {escape(row.message)}</summary>"
        f"<p>For example <code>{escape(row.example)}</code></p>{trace}</details>"
    )


def _moment(written: str) -> str:
    """An ISO 8601 moment, to the minute."""
    return written[:16].replace("T", " ")


def _hosts(study: StudyRows) -> str:
    hosts = sorted(study.spent.workers.items(), key=lambda one: -one[1])
    named = ", ".join(f"{host} ({count:,})" for host, count in hosts[:_HOSTS])
    left = f" and {len(hosts) - _HOSTS} more hosts" if len(hosts) > _HOSTS else ""
    return f"{named}{left}" if hosts else "none"


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in facts)
    return f"<dl>{rows}</dl>"


def _said(study: StudyRows, name: str) -> str:
    value = study.definition.get(name)
    if name == "kind":
        return study.kind
    if name == "budget":
        return study.budget
    if name == "space" and isinstance(value, dict):
        return str(value.get("name"))
    if isinstance(value, dict):
        return ", ".join(_pairs(value))
    return str(value)


def _pairs(value: dict[str, object]) -> Iterator[str]:
    return (f"{name} {one}" for name, one in value.items())
