"""Programs in processes of their own: however they end, one sentence says it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from nas.export import apart
from nas.export.forms.converters import outputs_apart, run_apart
from nas.measure.runtimes.base import RefusedError

ENDS = {
    "import sys; print('noise', file=sys.stderr); sys.exit('ValueError: no operator')": "ValueError: no operator",
    "import sys; sys.exit(3)": "it ended with 3",
    "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)": "ended by SIGSEGV",
    "import time; time.sleep(60)": "not done after 0 s",
}


@pytest.mark.parametrize("code", ENDS)
def test_how_a_program_ends_is_said(code: str, tmp_path: Path) -> None:
    patience = 0.3 if "sleep" in code else 60.0
    with pytest.raises(RefusedError, match=f"^converter: {ENDS[code]}$"):
        run_apart("converter", [sys.executable, "-S", "-c", code], cwd=tmp_path, patience=patience)


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="converter: cannot be started"):
        run_apart("converter", [str(tmp_path / "none")], cwd=tmp_path, patience=1.0)


@pytest.mark.slow
@pytest.mark.parametrize("program", ["executorch", "litert"])
def test_what_is_no_network_is_refused(program: str, tmp_path: Path) -> None:
    """Or, where it is not installed, that its runtime is missing."""
    assert (Path(apart.__file__).parent / f"{program}_program.py").is_file()
    (tmp_path / "model").write_bytes(b"wrong")
    with pytest.raises(RefusedError, match=rf"^{program}: \w+: \S"):
        outputs_apart(program, tmp_path / "model", [torch.zeros(1, 3, 8, 8)], patience=120.0)
