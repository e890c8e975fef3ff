"""The page as text: whole, alone, and harmless."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from made_up import HOSTILE, add_study, definition

from nas.architecture import Architecture, Stage
from nas.architecture.text import to_yaml
from nas.errors import UserError
from nas.ledger import Ledger
from nas.records import StudyKind, StudyRecord
from nas.report.study.figures import Axis, Line, line_figure
from nas.report.study.full import with_full_trainings
from nas.report.study.networks import read_networks
from nas.report.study.page import page
from nas.report.study.read import read_report
from nas.train.curve import EpochRow, read_curve, write_curve


def written(ledger: Ledger, *names: str) -> str:
    report = read_report(ledger, names)
    networks, notes = read_networks(ledger, report)
    return page(report, networks, notes=notes)


def test_a_page_names_every_part_and_needs_nothing_else(ledger: Ledger) -> None:
    text = written(ledger, "made-up")
    for key in ("found", "front", "growth", "curves", "parallel", "decisions", "health", "failures", "spent", "repeat"):
        assert f'<section id="{key}">' in text
    assert not re.search(r'(?:src|href)="(?!#|data:)', text)
    assert "nas search --study made-up.yaml" in text
    assert "<th scope=" in text


def test_the_policy_allows_this_script_and_this_style_alone(ledger: Ledger) -> None:
    text = written(ledger, "made-up")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none';")
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert "style=" not in text  # which the policy would not allow


def test_what_comes_from_a_ledger_is_text(ledger: Ledger) -> None:
    add_study(ledger, HOSTILE, 24, hostile=True)
    text = written(ledger, HOSTILE)
    assert "<img" not in text
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["studies"][0]["name"] == HOSTILE


def test_a_study_without_candidates_has_a_page(ledger: Ledger) -> None:
    ledger.create_study(
        StudyRecord(name="empty", kind=StudyKind.SEARCH, definition=definition(), created="2026-01-01T00:00:00")
    )
    text = written(ledger, "empty")
    assert "No candidate has an accuracy yet" in text
    assert 'id="explorer"' not in text
    assert "nas search --study empty.yaml" in text


def test_several_studies_stand_side_by_side(ledger: Ledger) -> None:
    add_study(ledger, "other", 12)
    text = written(ledger, "made-up", "other")
    assert text.count('<section id="front">') == 1
    assert text.count('data-study="1"') == 10


def test_a_candidate_that_was_trained_in_full_has_its_curve(ledger: Ledger, tmp_path: Path) -> None:
    report = read_report(ledger, ["made-up"])
    best = report.studies[0].front[-1].id
    folder = tmp_path / "winner"
    folder.mkdir()
    architecture = Architecture.from_dict(ledger.architecture(best))
    (folder / "architecture.yaml").write_text(to_yaml(architecture), encoding="utf-8")
    rows = [
        EpochRow(epoch=epoch, train_loss=2 / epoch, validation_loss=2.5 / epoch, validation_accuracy=epoch / 10,
                 learning_rate=0.1, images=100 * epoch, seconds=1.0)
        for epoch in (1, 2, 3)
    ]  # fmt: skip
    write_curve(rows, folder / "curve.csv")
    found = with_full_trainings(report, [folder])
    (full,) = found.studies[0].full
    assert (full.id, full.name, full.epochs) == (best, "winner", tuple(rows))
    networks, notes = read_networks(ledger, found)
    text = page(found, networks, notes=notes)
    assert f"<li>winner: <code>{best}</code>, 3 epochs, 30.0% at the end</li>" in text
    assert "Losses of full trainings by epoch" in text
    with pytest.raises(UserError, match=r"there is no curve\.csv in it"):
        with_full_trainings(report, [tmp_path])
    (folder / "architecture.yaml").write_text(to_yaml(Architecture(stages=(Stage(depth=1, width=8),))))
    with pytest.raises(UserError, match="is no candidate of made-up"):
        with_full_trainings(report, [folder])
    (folder / "curve.csv").write_text("epoch\none\n")
    with pytest.raises(UserError, match="not a curve"):
        read_curve(folder / "curve.csv")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_figures_of_few_points_are_drawn(count: int) -> None:
    line = Line(name=HOSTILE, style="v0", xs=[2.0] * count, ys=[0.5] * count)
    axis = Axis(label=HOSTILE, words=str)
    figure = line_figure([line], axis, axis, title=HOSTILE)
    assert bool(figure) == bool(count)
    assert "<img" not in figure
    assert "nan" not in figure
