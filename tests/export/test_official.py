"""Official checkpoints against the outputs of the official code.

`official_outputs.json` holds, for five networks, the names and shapes of the official state dict and what the official
implementation puts out on reproducible weights (torch 2.13, CPU), for `torch.randn(2, 3, 96, 96)` from seed 0.
"""

import json
import re
from functools import cache
from pathlib import Path

import pytest
import torch
from reproducible import images, weight
from safetensors.torch import save_file

from nas.architecture import fuse
from nas.errors import UserError
from nas.export.bundle import load_model
from nas.export.imported import import_checkpoint
from nas.export.official import CheckpointError, from_official

RECORDED = json.loads((Path(__file__).parent / "official_outputs.json").read_text())
PRESETS = {
    "ConvNeXt-T": "convnext_tiny",
    "ConvNeXt-isotropic-S": "convnext_isotropic_small",
    "RepLKNet-31B": "replknet_31b",
    "Conv2Former-T": "conv2former_t",
    "VAN-B1": "van_b1",
}


@cache
def checkpoint(model: str) -> dict[str, torch.Tensor]:
    return {key: weight(key, shape) for key, shape in RECORDED[model]["state_dict"].items()}


def logits(network: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return network(images(2, 3, 96, 96))


def distance(network: torch.nn.Module, model: str) -> float:
    recorded = RECORDED[model]
    first = torch.tensor(recorded["logits_first8"])
    return ((logits(network)[:, :8] - first).abs().max() / recorded["max_abs"]).item()


@pytest.mark.parametrize("model", [pytest.param(one, marks=[pytest.mark.slow] * (one != "VAN-B1")) for one in PRESETS])
def test_an_official_checkpoint_gives_the_official_outputs(model: str) -> None:
    assert distance(from_official(PRESETS[model], checkpoint(model)), model) <= 1e-5


@pytest.mark.slow
def test_the_timm_layout_is_read_too() -> None:
    renames = (
        (r"^downsample_layers\.0\.", "stem."),
        (r"^downsample_layers\.(\d)\.", r"stages.\1.downsample."),
        (r"^stages\.(\d)\.(\d+)\.", r"stages.\1.blocks.\2."),
        (r"\.dwconv\.", ".conv_dw."),
        (r"\.pwconv(\d)\.", r".mlp.fc\1."),
        (r"^head\.", "head.fc."),
        (r"^norm\.", "head.norm."),
    )
    renamed = {}
    for key, tensor in checkpoint("ConvNeXt-T").items():
        name = key
        for pattern, replacement in renames:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor[:, :, None, None] if ".mlp." in name and tensor.ndim == 2 else tensor
    assert distance(from_official("convnext_tiny", renamed), "ConvNeXt-T") <= 1e-5


@pytest.mark.slow
def test_the_merged_replknet_layout_is_read_too() -> None:
    trained = from_official("replknet_31b", checkpoint("RepLKNet-31B"))
    merged = {key: tensor for key, tensor in checkpoint("RepLKNet-31B").items() if ".large_kernel." not in key}
    for key, tensor in fuse(trained).state_dict().items():
        if ".mixer.mixer." in key:
            _, stage, _, block, *_, name = key.split(".")
            merged[f"stages.{stage}.blocks.{2 * int(block)}.large_kernel.lkb_reparam.{name}"] = tensor
    assert distance(from_official("replknet_31b", merged), "RepLKNet-31B") <= 1e-5


@pytest.mark.slow
def test_the_other_names_of_conv2former_are_read_too() -> None:
    renamed = {key.replace(".att.", ".a."): tensor for key, tensor in checkpoint("Conv2Former-T").items()}
    assert distance(from_official("conv2former_t", renamed), "Conv2Former-T") <= 1e-5


def test_a_preset_without_a_known_layout_says_so() -> None:
    with pytest.raises(CheckpointError, match="no official checkpoint layout"):
        from_official("r50_to_convnext_t/gelu", checkpoint("ConvNeXt-isotropic-S"))


@pytest.mark.slow
@pytest.mark.parametrize("container", ["model", "state_dict", "state_dict_ema"])
def test_containers_are_opened(container: str) -> None:
    held = {container: checkpoint("VAN-B1"), "epoch": 3}
    found, plain = (from_official("van_b1", one).state_dict() for one in (held, checkpoint("VAN-B1")))
    assert all(torch.equal(found[name], plain[name]) for name in plain)


@pytest.mark.slow
def test_a_missing_and_an_unexpected_tensor_are_named() -> None:
    tensors = dict(checkpoint("VAN-B1"))
    del tensors["norm4.bias"]
    tensors["norm4.extra"] = torch.zeros(1)
    with pytest.raises(CheckpointError, match=r"missing: norm4\.bias\s+unexpected: norm4\.extra"):
        from_official("van_b1", tensors)


@pytest.mark.slow
def test_a_tensor_of_another_shape_is_named() -> None:
    tensors = {**checkpoint("VAN-B1"), "norm1.bias": torch.zeros(7)}
    with pytest.raises(CheckpointError, match=r"norm1\.bias has shape \(7,\)"):
        from_official("van_b1", tensors)


@pytest.mark.slow
def test_the_number_of_classes_is_the_checkpoints() -> None:
    tensors = {**checkpoint("ConvNeXt-isotropic-S"), "head.weight": torch.zeros(5, 384), "head.bias": torch.zeros(5)}
    assert logits(from_official("convnext_isotropic_small", tensors)).shape == (2, 5)


def test_what_holds_no_tensors_is_refused() -> None:
    with pytest.raises(CheckpointError, match="epoch"):
        from_official("convnext_tiny", {"epoch": 3})


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".pth", pytest.param(".safetensors", marks=pytest.mark.slow)])
def test_a_checkpoint_file_becomes_a_folder_that_loads(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"van{suffix}"
    tensors = checkpoint("VAN-B1")
    if suffix == ".pth":
        torch.save({"state_dict": tensors}, path)
    else:
        save_file(tensors, path)
    done = import_checkpoint(path, "van_b1", tmp_path / "van")
    assert (done.params, done.classes) == (13861800, 1000)
    assert distance(load_model(tmp_path / "van"), "VAN-B1") <= 1e-4
    import_checkpoint(path, "van_b1", tmp_path / "van")  # the same weights
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").touch()
    with pytest.raises(UserError, match=r"holds something else; .*--force"):
        import_checkpoint(path, "van_b1", tmp_path / "mine")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"not a checkpoint", "checkpoint"), (b"", "not a checkpoint that can be read"), (None, "no such file")],
)
def test_a_file_that_is_no_checkpoint_is_one_message(content: bytes | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "some.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=says):
        import_checkpoint(path, "van_b1", tmp_path / "out")
    assert not (tmp_path / "out").exists()


WRAPPED = {
    "module.": "data parallel",
    "_orig_mod.": "compiled",
    "module._orig_mod.": "both",
    "_orig_mod.module.": "both, the other way round",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "prefix",
    [pytest.param(one, id=words, marks=[pytest.mark.slow] * (words != "both")) for one, words in WRAPPED.items()],
)
def test_prefixes_of_wrappers_come_off(prefix: str) -> None:
    wrapped = {prefix + key: tensor for key, tensor in checkpoint("VAN-B1").items()}
    found, plain = (from_official("van_b1", one).state_dict() for one in (wrapped, checkpoint("VAN-B1")))
    assert all(torch.equal(found[name], plain[name]) for name in plain)


def test_counters_of_batches_may_be_missing() -> None:
    tensors = {key: one for key, one in checkpoint("VAN-B1").items() if not key.endswith("num_batches_tracked")}
    assert distance(from_official("van_b1", tensors), "VAN-B1") <= 1e-5


@pytest.mark.slow
def test_averaged_weights_are_taken_where_there_are_no_others_and_named(tmp_path: Path) -> None:
    tensors = checkpoint("VAN-B1")
    shifted = {key: tensor + 1 for key, tensor in tensors.items()}
    torch.save({"model_ema": tensors, "epoch": 3}, tmp_path / "average.pth")
    torch.save({"model_ema": shifted, "model": tensors}, tmp_path / "both.pth")
    average = import_checkpoint(tmp_path / "average.pth", "van_b1", tmp_path / "average")
    both = import_checkpoint(tmp_path / "both.pth", "van_b1", tmp_path / "both")
    assert (average.container, average.others) == ("model_ema", ())
    assert (both.container, both.others) == ("model", ("model_ema",))
    assert distance(load_model(tmp_path / "both"), "VAN-B1") <= 1e-5


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (torch.tensor([float("nan")] * 1000), r"head\.bias .*not finite"),
        (torch.ones(1000, dtype=torch.int8), r"head\.bias .*quantised"),
        (None, r"no named tensors.*head\.bias"),
    ],
    ids=["nan", "integers", "no tensor"],
)
def test_values_that_are_no_weights_are_refused_by_name(broken: object, says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        from_official("van_b1", {**checkpoint("VAN-B1"), "head.bias": broken})


def test_keys_that_are_no_names_are_refused() -> None:
    with pytest.raises(CheckpointError, match="no named tensors in this checkpoint, but 0, 1"):
        from_official("van_b1", {0: torch.zeros(1), 1: torch.zeros(1)})  # type: ignore[dict-item]


@pytest.mark.slow
def test_the_wrong_preset_is_told_the_right_one() -> None:
    with pytest.raises(CheckpointError, match="it fits convnext_isotropic_small: use that preset"):
        from_official("convnext_tiny", checkpoint("ConvNeXt-isotropic-S"))


def test_a_text_file_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("hello, this is a text file\n")
    with pytest.raises(UserError, match=r"text\.pth: "):
        import_checkpoint(tmp_path / "text.pth", "van_b1", tmp_path / "out")


def test_a_checkpoint_that_could_run_code_is_not_loaded(tmp_path: Path) -> None:
    torch.save({"model": Path("an object that is no tensor")}, tmp_path / "foreign.pth")
    with pytest.raises(UserError, match="could run code"):
        import_checkpoint(tmp_path / "foreign.pth", "van_b1", tmp_path / "out")
