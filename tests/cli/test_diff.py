"""`nas diff` as a user reads it."""

from __future__ import annotations

import pytest

from nas.cli.main import main


def test_what_is_too_long_for_a_cell_stands_below_the_table_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "conv2former_t", "moganet_s"]) == 0
    found = capsys.readouterr().out
    assert found.startswith("moganet_s changes the stem, ")
    rows = found[: found.rindex("FLOPs")].splitlines()[2:]  # what follows the sentence
    assert max(len(row.rstrip()) for row in rows) <= 80
    assert ["stages", "1-2", "block.ffn.layers", "-", "(below)"] in [row.split() for row in rows]
    lines = [line.rstrip() for line in found.splitlines()]
    below = lines[lines.index("stages 1-2 block.ffn.layers") + 1]
    assert below == "moganet_s  conv(ratio=8) > depthwise(kernel=3) > gelu > decompose(over=channels) > conv"


def test_a_short_difference_stands_in_the_table_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "convnext_tiny", "convnext_small"]) == 0
    assert "below" not in capsys.readouterr().out
