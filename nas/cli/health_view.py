"""What a proxy can tell, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from nas.analysis.proxy_health import HealthRow, State
from nas.report.proxy_health import health_sentences, state_words

_STYLES = {State.GOOD: "green", State.POOR: "yellow", State.UNKNOWN: "dim"}


def health_view(rows: Sequence[HealthRow]) -> Table | None:
    """A sentence a line; None where there is nothing to say."""
    sentences = health_sentences(rows)
    if not sentences:
        return None
    made = Table.grid(padding=(0, 2))
    made.title, made.title_justify, made.title_style = "What the proxy can tell", "left", "bold"
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for state, sentence in sentences:
        made.add_row(Text(state_words(state), style=_STYLES[state]), sentence)
    return made
