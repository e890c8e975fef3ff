from __future__ import annotations

import re

from hypothesis import given, strategies as st

from nas.pulse import NodeState, Pulse, RungState
from nas.records import Failure, TrialState
from nas.report.exposition import METRICS, exposition

SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\S+)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')
FULL = Pulse(
    study='odd "name"\\',
    trials={TrialState.DONE: 3, TrialState.REJECTED: 40},
    target=10,
    rungs=(RungState(arrived=4, promoted=1, waiting=3), RungState(arrived=1, promoted=0, waiting=0)),
    failures={Failure.NODE_LOST: 2},
    slots=4,
    nodes=(NodeState(name="n1", workers=3, busy=2, images_per_second=123.25, peak_memory=2**33),),
    train_seconds=12.5,
    best_accuracy=0.75,
    front=2,
    seconds=60.0,
    seconds_left=30.0,
)


def parsed(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The samples by name and labels, read by the grammar of the format and not by our own code."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for line in text.rstrip("\n").split("\n"):  # a label may hold other ends of lines
        if not line.startswith("#"):
            match = SAMPLE.fullmatch(line)
            assert match, line
            labels = frozenset((name, unescaped(value)) for name, value in LABEL.findall(match[2]))
            assert (match[1], labels) not in found
            found[match[1], labels] = float(match[3])
    return found


def unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], text)


def test_every_metric_is_described_once_and_followed_by_its_samples() -> None:
    text = exposition(FULL, age=1.0)
    assert text.endswith("\n")
    name = ""
    described = []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            described.append(name)
        elif line.startswith("# TYPE "):
            assert line.split()[2:] in ([name, "gauge"], [name, "counter"])
            assert (line.split()[3] == "counter") == name.endswith("_total")
        else:
            assert line.startswith(f"{name}{{")
    assert described == ["nas_pulse_age_seconds", *(metric.name for metric in METRICS)]


def test_values_and_labels_are_those_of_the_pulse() -> None:
    found = parsed(exposition(FULL, age=1.5))

    def value(name: str, **labels: str) -> float:
        return found["nas_" + name, frozenset({"study": FULL.study, **labels}.items())]

    assert value("pulse_age_seconds") == 1.5
    assert value("trials", state="rejected") == 40
    assert value("rung_waiting", rung="0") == 3
    assert value("failed_trainings_total", type="node_lost") == 2
    assert (value("workers", node="n1", state="busy"), value("workers", node="n1", state="idle")) == (2, 1)
    assert value("images_per_second", node="n1") == 123.25
    assert value("training_peak_memory_bytes", node="n1") == 2**33
    assert (value("best_accuracy_ratio"), value("remaining_seconds")) == (0.75, 30.0)


def test_what_is_unknown_is_absent() -> None:
    names = {name for name, _ in parsed(exposition(Pulse(study="s"), age=0.0))}
    assert names == {"nas_pulse_age_seconds", "nas_worker_slots", "nas_training_seconds_total", "nas_run_seconds"}


@given(st.text(max_size=8))
def test_labels_may_hold_anything(text: str) -> None:
    (samples,) = {labels for name, labels in parsed(exposition(Pulse(study=text, front=1), age=0.0)) if "front" in name}
    assert samples == {("study", text)}
