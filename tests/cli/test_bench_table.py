from __future__ import annotations

import json
from pathlib import Path

import pytest

from nas.cli.main import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table as a user would write it: three widths, three depths, with and without a gate."""
    monkeypatch.chdir(tmp_path)
    rows = [
        f"{width},{depth},{gate},{50 + 5 * depth + width / 8:.1f},{50 + 5 * depth + width / 8},{width * width * depth}"
        for width in (8, 16, 32) for depth in (1, 2, 3) for gate in ("yes", "no")
    ]  # fmt: skip
    Path("mine.csv").write_text("\n".join(["width,depth,gate,seen,mean,latency_ms", *rows]))
    Path("mine.yaml").write_text(
        "name: mine\nfile: mine.csv\ndecisions: {width: ordered, depth: ordered, gate: categories}\n"
        "seen: seen\nscored: mean\ncosts: latency_ms\n"
    )


@pytest.mark.slow
def test_samplers_are_judged_on_a_users_table(capsys: Capture) -> None:
    arguments = ["bench", "table", "mine.yaml", "--trials", "12", "--seeds", "2", "--sampler", "evolution", "-j", "1"]
    assert main([*arguments, "--json", "-o", "out.md", "--plot", "out.png"]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert [(line["sampler"], line["quantile"]) for line in lines] == [
        (name, quantile) for name in ("random", "evolution") for quantile in (None, 0.3, 0.5, 0.7)
    ]
    assert lines[0]["points"][-1]["trainings"] == 12
    assert 0 < lines[0]["points"][-1]["median"] <= 1
    assert "| evolution |" in Path("out.md").read_text()
    assert Path("out.png").stat().st_size > 1000
    assert main([*arguments, "--only", "front"]) == 0
    shown = capsys.readouterr().out
    assert "mine: accuracy against latency_ms" in shown
    assert "quantile" not in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.yaml"], "no such file"),
        (["mine.yaml", "--sampler", "surogate"], "did you mean 'surrogate'"),
        (["mine.yaml", "--only", "fronts"], "did you mean 'front'"),
        (
            ["mine.yaml", "--trials", "2", "--seeds", "1", "-j", "1", "--plot", "p.pdf"],
            "curves can be drawn as .html, .png, .svg",
        ),
    ],
)
def test_wrong_input_gets_one_clear_message(arguments: list[str], says: str, capsys: Capture) -> None:
    assert main(["bench", "table", *arguments]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.out == ""
