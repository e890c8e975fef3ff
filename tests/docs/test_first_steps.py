"""The notebook runs from its first cell to its last, and what is committed of its outputs is what comes out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import nas

NOTEBOOK = Path(__file__).parents[2] / "studies" / "first_steps.ipynb"
MOST_BYTES = 40_000


def shown(cell: Any) -> list[str]:
    """What a cell's value says of itself in one line; nothing of results, which differ from machine to machine."""
    texts = [one["data"]["text/plain"] for one in cell.outputs if one.output_type == "execute_result"]
    stable = ("SearchSpace(", "FeasibleSet(", "Architecture(", "Cost(", "Study(")
    return [text for text in texts if text.startswith(stable)]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_notebook_runs_and_its_outputs_are_honest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", f"{Path(nas.__file__).parents[1]}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")  # tqdm's about a package for notebooks that is not there
    kept = nbformat.read(NOTEBOOK, as_version=4)
    run = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(run, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    cells = [cell for cell in run.cells if cell.cell_type == "code"]
    assert not [one for cell in cells for one in cell.outputs if one.output_type in ("error", "stream")]
    assert [shown(cell) for cell in cells] == [shown(cell) for cell in kept.cells if cell.cell_type == "code"]
    assert sum(map(len, map(shown, cells))) == 5
    bars = [one for cell in cells for one in cell.outputs if one.output_type == "display_data"]
    assert all("100%" in one["data"]["text/plain"] for one in bars)
    assert len(bars) == 2
    assert (tmp_path / "winner" / "weights.safetensors").is_file()


def test_the_notebook_is_small_and_says_nothing_of_where_it_ran() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < MOST_BYTES
    assert not [word for word in ("/home/", "/work/", "/tmp/", "/root/", "site-packages", "Traceback") if word in text]
