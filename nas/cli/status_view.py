"""How a study stands, for a terminal: a few facts, then rungs, nodes and what is under way, where there is any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from nas.analysis.proxy_health import HealthRow
from nas.cli.health_view import health_view
from nas.cli.options import proposed
from nas.cli.tables import table
from nas.ledger.status import Driving, StudyStatus, iso
from nas.pulse import NodeState, Pulse, RungState, WorkerState
from nas.records import StudyKind, TrialState
from nas.units import format_bytes, format_count, format_seconds, plural

_BAR = 16
_SILENT = 60.0  # seconds; a training says how far it is at every step
_SHOWN = 12  # trainings under way; who has hundreds of workers reads nodes
_STYLES = {Driving.RUNNING: "green", Driving.SILENT: "bold red", Driving.IDLE: "dim"}
_WORDS = {
    TrialState.DONE: "done",
    TrialState.STOPPED: "stopped early",
    TrialState.REUSED: "reused",
    TrialState.FAILED: "failed",
    TrialState.QUEUED: "unfinished",
    TrialState.REJECTED: "over budget",
}


def status_view(status: StudyStatus, health: Sequence[HealthRow] = ()) -> Group:
    """Everything there is to see of a study."""
    pulse = status.pulse
    parts: list[RenderableType] = [_headline(status), "", _facts(status), ""]
    if len(pulse.rungs) > 1:
        parts += [rungs_table(pulse), ""]
    if pulse.nodes:
        parts += [nodes_table(pulse), ""]
    if pulse.busy:
        parts += [under_way_table(pulse.busy), ""]
    if (known := health_view(health)) is not None:
        parts += [known, ""]
    return Group(*parts[:-1])


def is_unfinished(status: StudyStatus) -> bool:
    """Whether a run of this study was broken off and nobody has taken it up again."""
    is_broken_off = status.driving is Driving.IDLE and status.pulse_age is not None and status.pulse.stop is None
    return is_broken_off or status.driving is Driving.SILENT


def how_to_go_on(status: StudyStatus, storage: str) -> str:
    """What continues an unfinished study."""
    if status.kind is StudyKind.SEARCH:
        return f"go on with it: {proposed('search', '--resume', '--study', status.pulse.study, storage=storage)}"
    return f"it {status.kind.purpose}; go on with it: give the same `nas {status.kind}` command again"


def rungs_table(pulse: Pulse) -> Table:
    """Who is where on the way up."""
    made = table("Rungs", ">rung", ">arrived", ">went on", ">may go on", ">training")
    for rung, state in enumerate(pulse.rungs):
        training = sum(worker.rung == rung for worker in pulse.busy)
        made.add_row(str(rung), str(state.arrived), *_onward(pulse.rungs, rung, state), str(training))
    return made


def nodes_table(pulse: Pulse) -> Table:
    """The workers of every node."""
    title = f"Workers: {sum(node.workers for node in pulse.nodes)} of {pulse.slots}"
    made = table(title, "node", ">workers", ">busy", ">images/s", ">peak memory")
    for node in pulse.nodes:
        made.add_row(node.name, str(node.workers), str(node.busy), _pace(node), _memory(node.peak_memory))
    return made


def under_way_table(busy: Sequence[WorkerState]) -> Table:
    """The trainings under way, those that take longest first."""
    hidden = len(busy) - _SHOWN
    caption = f"and {hidden} more" if hidden > 0 else None
    made = table("Under way", "candidate", ">rung", "worker", ">for", "done", caption=caption)
    for worker in busy[:_SHOWN]:
        made.add_row(
            worker.architecture_id, str(worker.rung), worker.name, format_seconds(worker.seconds), _done(worker)
        )
    return made


def _headline(status: StudyStatus) -> Text:
    """The study's name, whether it runs, and by whom."""
    word, more = _state(status)
    return Text.assemble((status.pulse.study, "bold"), "  ", (word, _STYLES[status.driving]), (more, "dim"))


def _state(status: StudyStatus) -> tuple[str, str]:
    """Whether it runs, and the rest of that sentence."""
    if status.driving is Driving.IDLE:
        return "not running", _ending(status)
    heard = f"heard {format_seconds(status.heard or 0.0)} ago"
    whose = f" {status.driver}, since {_moment(status.since or 0.0)}"
    if status.driving is Driving.SILENT:
        return "silent", f"{whose}, last {heard}"
    return "running", f"{whose}, {heard}"


def _ending(status: StudyStatus) -> str:
    if status.pulse_age is None:
        return ""
    how = f"ended by {status.pulse.stop}" if status.pulse.stop else "interrupted"
    return f", {how} {format_seconds(status.pulse_age)} ago"


def _facts(status: StudyStatus) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, value in _named_facts(status):
        grid.add_row(f"  {name}", value)
    return grid


def _named_facts(status: StudyStatus) -> Iterator[tuple[str, RenderableType]]:
    pulse = status.pulse
    yield "trials", _trials(pulse)
    if pulse.failures:
        each = (f"{count} {failure.value.replace('_', ' ')}" for failure, count in pulse.failures.items())
        yield "failures", Text(", ".join(each), style="yellow")
    if pulse.best_accuracy is not None:
        front = "" if pulse.front is None else f", front of {pulse.front}"
        yield "best", f"{pulse.best_accuracy:.1%} by {pulse.best}{front}"
    yield "training", _training(pulse)
    if status.driving is Driving.RUNNING and pulse.slots:
        yield "time", _time(pulse)


def _trials(pulse: Pulse) -> str:
    target = "" if pulse.target is None else f"; {plural(pulse.target, 'candidate')} asked for"
    counts = [f"{pulse.trials[state]:,} {word}" for state, word in _WORDS.items() if pulse.trials.get(state)]
    return f"{', '.join(counts) or 'none yet'}{target}"


def _training(pulse: Pulse) -> str:
    parts = [f"{format_seconds(pulse.train_seconds)} in all"]
    if pulse.images_per_second is not None:
        parts.append(f"{format_count(pulse.images_per_second)} images/s")
    if pulse.peak_memory:
        parts.append(f"{format_bytes(pulse.peak_memory)} at most")
    return ", ".join(parts)


def _time(pulse: Pulse) -> str:
    if pulse.seconds_left is None:
        return format_seconds(pulse.seconds)
    share = pulse.seconds / (pulse.seconds + pulse.seconds_left or 1.0)
    return f"{format_seconds(pulse.seconds)}, about {format_seconds(pulse.seconds_left)} left  {_bar(share)}"


def _onward(rungs: Sequence[RungState], rung: int, state: RungState) -> tuple[str, str]:
    """Nobody goes on from the last rung."""
    return ("-", "-") if rung == len(rungs) - 1 else (str(state.promoted), str(state.waiting))


def _pace(node: NodeState) -> str:
    return "-" if node.images_per_second is None else format_count(node.images_per_second)


def _memory(count: int | None) -> str:
    return format_bytes(count) if count else "-"


def _bar(fraction: float) -> str:
    full = round(fraction * _BAR)
    return f"{'█' * full}{'░' * (_BAR - full)} {fraction:>4.0%}"


def _done(worker: WorkerState) -> Text:
    """How far a training is; one that has not said so for long may hang."""
    if worker.silent < _SILENT:
        return Text(_bar(worker.fraction))
    return Text.assemble(_bar(worker.fraction), (f"  silent for {format_seconds(worker.silent)}", "yellow"))


def _moment(seconds: float) -> str:
    """A time of day in UTC, for people."""
    return iso(seconds)[:16].replace("T", " ") + " UTC"
