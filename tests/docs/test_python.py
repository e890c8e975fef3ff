"""Every line of docs/python.md runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import nas

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.mark.slow
def test_every_line_of_the_page_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join(blocks))
    done = subprocess.run([sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    storage = f"sqlite:///{tmp_path}/nas.db"
    states = {name: [row.state for row in nas.Study.open(name, storage=storage).trials] for name in ("tiny-5M", "own")}
    assert [states[name].count("done") for name in ("tiny-5M", "own")] == [3, 2]
    assert (tmp_path / "winner" / "weights.safetensors").is_file()
