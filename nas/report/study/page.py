"""The report as one page that needs nothing but itself: no network, no other file, and a policy that allows neither.

Whatever comes from a ledger (names, messages, tracebacks, values) is text: escaped here, and set as text by the script.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from nas.data.atomic import new_file
from nas.errors import UserError
from nas.report.study.embedded import embedded
from nas.report.study.networks import Networks
from nas.report.study.rows import NO_BUDGET, CandidateRow, ReportRows, StudyRows
from nas.report.study.sections import (
    cost_section,
    curve_section,
    decision_section,
    failure_section,
    health_section,
    repeat_section,
    volume_section,
)
from nas.report.words import accuracy_words, metric_label, metric_words, percent
from nas.units import format_seconds, plural

_STYLE, _SCRIPT = "report.css", "report.js"
_ROWS = 20  # of a front that are in its table
_TOPICS = (
    ("front", "Front"),
    ("growth", "Growth of the front"),
    ("curves", "Learning curves"),
    ("parallel", "Decisions side by side"),
    ("decisions", "What each decision bought"),
    ("health", "What the proxy can tell"),
    ("failures", "Failures"),
    ("spent", "What it cost"),
    ("repeat", "How to repeat it"),
)


def require_page(path: Path) -> None:
    """Raise UserError for a file that cannot be a page: another suffix, or a folder."""
    if path.suffix != ".html":
        raise UserError(f"{path}: a report is an .html page")
    if path.is_dir():
        raise UserError(f"{path}: this is a folder; name a file")


def write_report(report: ReportRows, networks: Networks, path: Path, *, notes: Sequence[str] = ()) -> None:
    """Write the page, whole or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    require_page(path)
    text = page(report, networks, notes=notes)
    try:
        with new_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from None


def page(report: ReportRows, networks: Networks, *, notes: Sequence[str] = ()) -> str:
    """The page's text.

    Args:
        report: what is said.
        networks: of the candidates.
        notes: what else is to be said of the studies together.
    """
    style, script = _part(_STYLE), _part(_SCRIPT)
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    title = ", ".join(study.name for study in report.studies)
    body = "\n".join([*_head(report, [*report.notes, *notes]), *_topics(report)])
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=False)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}: report</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}
<script type="application/json" id="data">{_json(embedded(report, networks))}</script>
<script>{script}</script>
</body>
</html>
"""


def _part(name: str) -> str:
    return files("nas.report.study").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _json(document: Any) -> str:
    """JSON that no tag can end: `<`, `>` and `&` stand in it as escapes."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _head(report: ReportRows, notes: Sequence[str]) -> Iterator[str]:
    names = " and ".join(study.name for study in report.studies)
    yield '<a class="skip" href="#front">Skip to the front</a>'
    yield f"<header><h1>{escape(names)}</h1>"
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    kinds = plural(len(report.studies), "study").replace("studys", "studies")
    yield f'<p class="soft">Report of {kinds}, written {moment} by nas</p>'
    links = "".join(f'<a href="#{key}">{escape(label)}</a>' for key, label in _TOPICS)
    yield f'<nav aria-label="Parts of the report">{links}</nav></header>'
    yield "<main>"
    for note in notes:
        yield f'<p class="note" role="note">{escape(note)}</p>'
    yield '<section id="found"><h2>What was found</h2>'
    yield from _beside(report, _found)
    yield "</section>"


def _found(study: StudyRows) -> str:
    sentences = "".join(f"<li>{_with_code(sentence)}</li>" for sentence in study.findings)
    return f'<ul class="findings">{sentences}</ul>'


def _with_code(sentence: str) -> str:
    """A sentence whose `commands` are set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentence))


def _topics(report: ReportRows) -> Iterator[str]:
    makers: Mapping[str, Any] = {
        "front": _front,
        "growth": volume_section,
        "curves": curve_section,
        "parallel": _parallel,
        "decisions": decision_section,
        "health": health_section,
        "failures": failure_section,
        "spent": cost_section,
        "repeat": repeat_section,
    }
    for key, label in _TOPICS:
        yield f'<section id="{key}"><h2>{escape(label)}</h2>'
        if key == "front":
            yield _explorer(report)
        yield from _beside(report, makers[key])
        yield "</section>"
    yield "</main>"


def _beside(report: ReportRows, maker: Any) -> Iterator[str]:
    """A part of every study, side by side where there is room."""
    several = len(report.studies) > 1
    yield '<div class="studies">'
    for place, study in enumerate(report.studies):
        heading = f'<h3><span class="dot s{place % 8}"></span>{escape(study.name)}</h3>' if several else ""
        yield f'<div class="study" data-study="{place}">{heading}{maker(study)}</div>'
    yield "</div>"


def _explorer(report: ReportRows) -> str:
    """Where the script puts the front that answers to pointer and keys."""
    if not any(study.candidates for study in report.studies):
        return '<p class="soft">There is nothing to draw yet.</p>'
    return """<div id="explorer" hidden>
<div class="controls"><label>across <select id="x-metric"></select></label>
<label>upwards <select id="y-metric"></select></label>
<label><input type="checkbox" id="lower"> candidates of lower rungs</label>
<button type="button" data-table="csv">all candidates as CSV</button>
<button type="button" data-table="json">as JSON</button></div>
<p class="soft" id="front-help">Point at a candidate, or focus the plot and use the arrow keys: left and right along the
front, up and down through all. Enter or a click pins one; two pins are compared. Escape takes the last pin off.</p>
<div class="front"><svg id="scatter" tabindex="0" role="application" aria-roledescription="scatter plot"
aria-describedby="front-help" aria-label="Candidates by cost and accuracy"></svg>
<div id="detail" tabindex="0" role="region" aria-label="The candidate that is pointed at">
<p class="soft">No candidate is chosen.</p></div></div>
<p id="said" class="hidden" role="status" aria-live="polite"></p>
<div id="pins" aria-label="Pinned candidates"></div><div id="difference"></div></div>
<noscript><p class="note">The plot that answers to the pointer needs JavaScript; everything else is here without
it.</p></noscript>"""


def _front(study: StudyRows) -> str:
    """The front as a table."""
    front = sorted(study.front, key=lambda one: one.accuracy, reverse=True)
    if not front:
        return '<p class="soft">No candidate has an accuracy yet.</p>'
    costs = list(dict.fromkeys((*study.costs, "flops", "params")))
    head = "".join(f'<th scope="col">{escape(metric_label(cost))}</th>' for cost in costs)
    rows = "".join(_front_row(study, one, costs) for one in front[:_ROWS])
    left = (
        f'<p class="soft">and {len(front) - _ROWS} more, in the plot and in the CSV file</p>'
        if len(front) > _ROWS
        else ""
    )
    several = any(one.seeds > 1 for one in front)
    seeds = '<th scope="col">seeds</th>' if several else ""
    return (
        f'<p class="soft">The front{_within(study)}, the most accurate first:</p>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="Front of {escape(study.name)}"><table>'
        f'<thead><tr><th scope="col">id</th><th scope="col">validation top-1</th>{head}'
        f'<th scope="col">training</th>{seeds}<th scope="col" class="controls">take</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{left}"
    )


def _within(study: StudyRows) -> str:
    return "" if study.budget == NO_BUDGET else f" within {escape(study.budget)}"


def _front_row(study: StudyRows, one: CandidateRow, costs: Sequence[str]) -> str:
    cells = "".join(f"<td>{escape(metric_words(cost, one.costs[cost]))}</td>" for cost in costs)
    seeds = f"<td>{one.seeds}</td>" if any(other.seeds > 1 for other in study.front) else ""
    identity = escape(one.id)
    return (
        f'<tr><th scope="row"><code>{identity}</code></th><td>{accuracy_words(one.accuracy)}</td>{cells}'
        f'<td>{format_seconds(one.seconds)}</td>{seeds}<td class="controls">'
        f'<button type="button" data-pin="{identity}" aria-label="Pin {identity}">pin</button> '
        f'<button type="button" data-yaml="{identity}" aria-label="Download {identity} as YAML">YAML</button></td></tr>'
    )


def _parallel(study: StudyRows) -> str:
    if len(study.top) < 2 or not study.top[0].decisions:
        return '<p class="soft">There are no decisions to compare.</p>'
    share = percent(len(study.front) / len(study.top))
    return (
        f'<p class="soft">A line is a candidate of the highest rung; the front ({share} of them) is drawn strong, '
        "pinned candidates stronger.</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Parallel coordinates"><svg class="parallel" '
        'role="img" aria-label="Parallel coordinates: each decision, the costs and the accuracy"></svg></div>'
    )
