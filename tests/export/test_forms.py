"""Forms for other programs: opened again, compared, all written or none."""

from __future__ import annotations

import copy
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

import nas
from nas.architecture import Architecture, estimate
from nas.cli.main import main
from nas.errors import NasError, UserError
from nas.export.forms import Form, Options, Subject, forms
from nas.export.real_images import photographs
from nas.export.taking import TOLERANCE, copied_bundle, fresh_bundle, write_export
from nas.space import load_architecture, load_space
from nas.space.askers import drawing
from nas.task import Task

sys.path.insert(0, str(Path(__file__).parents[1] / "architecture"))
from smallest import SMALLEST
from table import available, drawn, outcomes

TASK = Task(resolution=64, classes=10)
ALONE = """
import importlib.abc, runpy, sys
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("nas", "timm", "safetensors", "fvcore"):
            raise ImportError(f"{name} is not here")
sys.meta_path.insert(0, Refuse())
import torch
network = runpy.run_path(sys.argv[1])["build"]()
torch.save(network(torch.load(sys.argv[2], weights_only=True)).detach(), sys.argv[3])
"""


class Wrong(Form):
    """Computes something else."""

    file = "wrong.bin"

    def write(self, subject: Subject, options: Options) -> None:
        (subject.folder / self.file).write_bytes(b"wrong")

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        return [torch.ones(len(images), 10) for images in batches]


class WrongOnPhotographs(Form):
    """Computes what the network computes, but of two images, which only the real ones are."""

    file = "wrong.bin"

    def write(self, subject: Subject, options: Options) -> None:
        (subject.folder / self.file).write_bytes(b"wrong")

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        network = nas.load_model(folder)
        with torch.no_grad():
            return [network(images) * (1.001 if len(images) == 2 else 1) for images in batches]


class NotANumber(WrongOnPhotographs):
    """Of the second batch of random images alone."""

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        network = nas.load_model(folder)
        with torch.no_grad():
            return [network(images) * (torch.nan if len(images) == 3 else 1) for images in batches]


def tiny() -> Architecture:
    return load_space("tiny").build(drawing(random.Random(0)))


@pytest.mark.slow
def test_model_py_needs_torch_alone(tmp_path: Path) -> None:
    (written,) = write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), ["python"], Options())
    assert written.difference <= TOLERANCE
    images = torch.randn(2, 3, 64, 64)
    torch.save(images, tmp_path / "images.pt")
    command = [sys.executable, "-I", "-c", ALONE, str(tmp_path / "out/model.py")]
    subprocess.run([*command, str(tmp_path / "images.pt"), str(tmp_path / "logits.pt")], check=True, timeout=120)
    with torch.no_grad():
        expected = nas.load_model(tmp_path / "out")(images)
    torch.testing.assert_close(torch.load(tmp_path / "logits.pt", weights_only=True), expected)


def test_a_form_that_computes_something_else_fails_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(forms._things, "wrong", Wrong())
    with pytest.raises(NasError, match=r"wrong: wrong.bin computes something else"):
        write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), ["python", "wrong"], Options())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_form_that_is_wrong_on_real_images_alone_fails_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(forms._things, "wrong", WrongOnPhotographs())
    with pytest.raises(NasError, match=r"wrong: wrong.bin .* by 1.0e-03 .* on real images \(2 photographs\)"):
        write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), ["wrong"], Options())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_form_that_computes_no_number_for_some_images_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(forms._things, "wrong", NotANumber())
    with pytest.raises(NasError, match=r"wrong: wrong.bin computes something else, by nan"):
        write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), ["wrong"], Options())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_photographs_fit_the_task(channels: int) -> None:
    found = photographs(Task(channels=channels, resolution=48), (0.5,) * channels, (0.25,) * channels)
    assert found.images.shape == (2, channels, 48, 48)
    assert -2 <= found.images.min() < found.images.mean() < found.images.max() <= 2
    assert (found.images[0] - found.images[1]).abs().mean() > 0.1


@pytest.mark.slow
def test_only_the_same_network_is_written_over(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_export(out, fresh_bundle(tiny(), TASK), [], Options())
    write_export(out, copied_bundle(out), ["torchscript"], Options())
    assert json.loads((out / "model.json").read_text())["forms"]["torchscript"]["file"] == "model.ts"
    with pytest.raises(UserError, match=r"holds other weights.*--force"):
        write_export(out, fresh_bundle(tiny(), TASK, seed=1), [], Options())
    write_export(out, fresh_bundle(tiny(), TASK, seed=1), [], Options(), force=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").touch()
    assert main(["export", "convnext_atto", "-o", str(tmp_path / "mine")]) == 2
    assert os.listdir(tmp_path / "mine") == ["thesis.tex"]


def test_files_get_the_modes_of_the_umask(tmp_path: Path) -> None:
    write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), [], Options())
    (tmp_path / "new").touch()
    modes = {path.stat().st_mode for path in (tmp_path / "out").iterdir()}
    assert modes == {(tmp_path / "new").stat().st_mode}


def test_an_unknown_format_proposes_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "convnext_atto", "--format", "onx", "-o", str(tmp_path / "out")]) == 2
    assert "did you mean 'onnx'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_networks_of_every_family_and_drawn_ones_take_every_form() -> None:
    """All of them: `python tests/export/table.py`, whose table is docs/export-table.md."""
    task = Task(resolution=32, classes=10)
    families = [(name, load_architecture(name)) for name in SMALLEST]
    some = sorted(families, key=lambda one: estimate(one[1], task).params)[:12]
    for name, one in [*some, *drawn(6, 10_000_000, 32)]:
        found = outcomes(one, name, available(), 32)
        assert [one.refusal for one in found] == [""] * len(available())


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["python"], Options(opset=18), "--opset 18 would change nothing of python: it is for onnx, openvino"),
        (
            ["timm", "torchscript"],
            Options(batch=4),
            "--batch 4 would change nothing of timm and torchscript: it is for",
        ),
        ([], Options(batch=4), "--batch 4 would change nothing of a folder without --format"),
    ],
)
def test_an_option_that_changes_no_form_is_refused(
    tmp_path: Path, names: list[str], options: Options, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), names, options)
    assert list(tmp_path.iterdir()) == []


def test_ncnn_refuses_a_number_of_images(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"ncnn: it takes one image at a time; leave out --batch 4.*nothing was written"
    ):
        write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), ["ncnn"], Options(batch=4))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_ncnn_computes_what_the_network_computes(tmp_path: Path) -> None:
    (written,) = write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), ["ncnn"], Options())
    assert written.difference <= TOLERANCE
    assert written.bytes > (tmp_path / "out/ncnn/model.bin").stat().st_size


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["groupnorm", "layernorm"])
def test_ncnn_takes_norms_without_a_shift(kind: str, tmp_path: Path) -> None:
    data = load_architecture("poolformerv2_s12").to_dict()
    text = json.dumps(data).replace('"groupnorm"', json.dumps(kind))
    for stage in (found := json.loads(text))["stages"]:
        stage.update(depth=1, width=16)
    (written,) = write_export(tmp_path / "out", fresh_bundle(Architecture.from_dict(found), TASK), ["ncnn"], Options())
    assert written.difference <= TOLERANCE


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("name", ["executorch", "litert"])
def test_forms_for_phones_compute_what_the_network_computes(name: str, batch: int | None, tmp_path: Path) -> None:
    if name not in available():
        pytest.skip(f"{name} is not installed")
    (written,) = write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), [name], Options(batch=batch))
    assert written.difference <= TOLERANCE
    assert written.bytes > 4 * estimate(tiny(), TASK).params


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_executorch_takes_networks_that_split_channels(tmp_path: Path) -> None:
    if "executorch" not in available():
        pytest.skip("executorch is not installed")
    data = load_architecture("fasternet_t0").to_dict()
    data["stages"] = [{**stage, "depth": 1} for stage in data["stages"][:2]]
    one = Architecture.from_dict(data)
    (written,) = write_export(tmp_path / "out", fresh_bundle(one, TASK), ["executorch"], Options())
    assert written.difference <= TOLERANCE


@pytest.mark.slow
def test_weights_become_a_backbone_or_get_another_classifier(tmp_path: Path) -> None:
    write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), [], Options())
    network, other = nas.load_model(tmp_path / "out"), nas.load_model(tmp_path / "out", classes=7)
    images = torch.randn(2, 3, 64, 64)
    assert (network.num_classes, other.num_classes, other(images).shape) == (10, 7, (2, 7))
    features = network.forward_features(images)
    torch.testing.assert_close(other.forward_features(images), features)
    torch.testing.assert_close(network.forward_head(features), network(images))
    backbone = nas.load_model(tmp_path / "out", features_only=True)
    maps = backbone(images)
    torch.testing.assert_close(maps[-1], features)
    assert [one.shape[1] for one in maps] == backbone.feature_info.channels()
    assert [64 // one.shape[2] for one in maps] == backbone.feature_info.reduction()
    torch.testing.assert_close(copy.deepcopy(network)(images), network(images))


@pytest.mark.slow
def test_the_timm_folder_gives_the_same_network(tmp_path: Path) -> None:
    (written,) = write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), ["timm"], Options())
    assert written.difference == 0
    document = json.loads((tmp_path / "out/timm/config.json").read_text())
    assert Architecture.from_dict(document["nas"]["structure"]).id == tiny().id
    assert document["pretrained_cfg"]["classifier"] in dict(nas.load_model(tmp_path / "out").named_modules())


@pytest.mark.slow
def test_the_card_tells_cost_and_origin(tmp_path: Path) -> None:
    written = write_export(tmp_path / "out", fresh_bundle(tiny(), TASK), ["hub", "torchscript"], Options())
    card = (tmp_path / "out/hub/README.md").read_text()
    assert f"# ConvNet {tiny().id}" in card
    assert "license: other" in card
    assert "trained: False" in card
    assert "| form | random images | 2 photographs |" in card
    for one in written:  # those written after the card's own form, too
        assert f"| {one.format} | {one.on_random:.1e} | {one.on_real:.1e} |" in card
        kept = json.loads((tmp_path / "out/model.json").read_text())["forms"][one.format]
        assert (kept["on_random"], kept["on_real"]) == (one.on_random, one.on_real)
    assert (tmp_path / "out/hub/model.safetensors").is_file()
