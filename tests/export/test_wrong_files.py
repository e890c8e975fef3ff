"""Whatever a checkpoint or a folder of weights holds: one message."""

from __future__ import annotations

import datetime
import json
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from nas.cli.main import main
from nas.errors import UserError
from nas.export.bundle import load_model
from nas.space.references import read_about

TENSORS: dict[str, Callable[[], Any]] = {
    "sparse": lambda: torch.eye(3).to_sparse(),
    "csr": lambda: torch.eye(3).to_sparse_csr(),
    "nested": lambda: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]),
    "complex": lambda: torch.zeros(3, dtype=torch.complex64),
    "quantised": lambda: torch.quantize_per_tensor(torch.rand(3), 0.1, 0, torch.quint8),
    "float8": lambda: torch.zeros(3).to(torch.float8_e4m3fn),
    "meta": lambda: torch.zeros(3, device="meta"),
    "boolean": lambda: torch.zeros(3, dtype=torch.bool),
    "NaN": lambda: torch.tensor([float("nan")]),
    "0-dimensional": lambda: torch.tensor(1.0),
    "empty": lambda: torch.zeros(0),
    "list": lambda: [1.0],
    "none": lambda: None,
    "foreign": lambda: datetime.datetime(2020, 1, 1),
}
FILES: dict[str, Any] = {
    **{f"a {name} tensor": lambda make=make: {"conv.weight": make()} for name, make in TENSORS.items()},
    **{f"a {name} counter": lambda make=make: {"bn.num_batches_tracked": make()} for name, make in TENSORS.items()},
    "numbers as keys": lambda: {0: torch.zeros(1), "a": torch.zeros(1)},
    "no text as key": lambda: {None: torch.zeros(1), (1, 2): torch.zeros(1)},
    "nothing": dict,
    "an empty container": lambda: {"model": {}},
    "containers in containers": lambda: {"model": {"model": {"model": {}}}},
    "a list": lambda: [torch.zeros(1)],
    "a tensor": lambda: torch.zeros(1),
    "a text": lambda: "hello",
    "a number": lambda: 5,
    "None": lambda: None,
}


def refused(capsys: pytest.CaptureFixture[str], checkpoint: Path, folder: Path) -> None:
    """The import of a checkpoint ends with one message and leaves nothing."""
    assert main(["import", str(checkpoint), "--preset", "van_b0", "-o", str(folder)]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.startswith("error: ")
    assert "Warning" not in said.err
    assert not folder.exists()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * bool(place % 20)) for place, name in enumerate(FILES)]
)
def test_a_checkpoint_of_anything(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(FILES[name](), tmp_path / "file.pth")
    refused(capsys, tmp_path / "file.pth", tmp_path / "out")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        pickle.dumps({"a": object()}),
        b"\xff" * 64,
        b"\x02" + b"\0" * 7 + b"[]",
        b"PK\x03\x04" + b"\0" * 60,
    ],
    ids=["empty", "text", "pickle", "ones", "no header", "zip"],
)
def test_a_file_that_is_no_checkpoint(
    suffix: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = (tmp_path / "file").with_suffix(suffix)
    file.write_bytes(content)
    refused(capsys, file, tmp_path / "out")


ABOUT: dict[str, Any] = {
    "architecture": "0d597168411d",
    "in_channels": 3,
    "classes": 2,
    "resolution": 32,
    "merged": False,
    "class_names": ["a", "b"],
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
}
WRONG = [None, [], ["x"], {}, {"a": 1}, "x", -1, 10**400, 1.5, float("nan"), [0, 0, 0], [1e999, 1, 1], [1.0]]
TEXTS = {
    "empty": "",
    "cut off": json.dumps(ABOUT)[:-5],
    "a list": "[]",
    "null": "null",
    "a number": "3",
    "a byte order mark": "\ufeff" + json.dumps(ABOUT),
    "deep lists": "[" * 10_000 + "]" * 10_000,
    "deep mappings": '{"a":' * 10_000 + "1" + "}" * 10_000,
    **{f"without {name}": json.dumps({key: ABOUT[key] for key in ABOUT if key != name}) for name in ABOUT},
    **{f"{name} = {value!r:.20}": json.dumps({**ABOUT, name: value}) for name in ABOUT for value in WRONG},
}
FITTING = {"architecture = 'x'", "class_names = []"}
FITTING |= {f"{name} = {value}" for name in ("mean",) for value in ([0, 0, 0],)}


@pytest.mark.parametrize("name", sorted(set(TEXTS) - FITTING))
def test_a_model_json_of_anything(name: str, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_text(TEXTS[name], encoding="utf-8")
    with pytest.raises(UserError, match=r"model\.json: not what `nas export` writes") as caught:
        read_about(file)
    assert len(str(caught.value)) < 500 + len(str(file))
    for other in ("architecture.yaml", "weights.safetensors"):
        (tmp_path / other).touch()
    with pytest.raises(UserError):
        load_model(tmp_path)


def test_a_model_json_that_is_right_is_read(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps({**ABOUT, "preset": "tiny"}))
    assert read_about(tmp_path / "model.json").model_extra == {"preset": "tiny"}
