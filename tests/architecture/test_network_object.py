"""A network is what users of PyTorch and timm expect, whatever its family."""

from __future__ import annotations

import copy
import pickle
import re
import warnings

import pytest
import torch
from smallest import SMALLEST
from torch import Tensor, nn

import nas
from nas.architecture import Architecture
from nas.architecture.checkpointing import CheckpointedBlocks
from nas.errors import UserError

QUICK = ("convnext_atto",)
CASES = [pytest.param(one, marks=[pytest.mark.slow] * (one not in QUICK)) for one in SMALLEST]


def made(preset: str) -> tuple[Architecture, nn.Module]:
    architecture = nas.load_architecture(preset)
    torch.manual_seed(0)
    return architecture, nas.build(architecture, classes=10)


def images(size: int = 64) -> Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("preset", CASES)
def test_the_parts_of_a_network_are_those_of_timm(preset: str) -> None:
    architecture, network = made(preset)
    network.eval()
    with torch.no_grad():
        maps = network.forward_features(images())
        assert maps.shape[1] == network.num_features == architecture.stages[-1].width
        logits = network(images())
        torch.testing.assert_close(network.forward_head(maps), logits)
        before = network.forward_head(maps, pre_logits=True)
        assert before.shape == (2, network.head_hidden_size)
        assert network.num_classes == network.get_classifier().out_features == 10
        assert network.get_classifier().in_features == network.head_hidden_size
        backbone = nas.build(architecture, features_only=True).eval()
        pyramid = backbone(images(128))
    info = backbone.feature_info
    assert info == network.feature_info
    assert info.channels() == [one.shape[1] for one in pyramid]
    assert info.reduction() == [128 // one.shape[2] for one in pyramid]
    assert all(isinstance(backbone.get_submodule(name), nn.Module) for name in info.module_name())


@pytest.mark.parametrize("preset", CASES)
def test_another_classifier_leaves_every_other_weight(preset: str) -> None:
    _, network = made(preset)
    network.eval()
    with torch.no_grad():
        features = network.forward_head(network.forward_features(images()), pre_logits=True)
        network.reset_classifier(3)
        assert (network.num_classes, network(images()).shape) == (3, (2, 3))
        network.reset_classifier(0)
        assert network.num_classes == 0
        torch.testing.assert_close(network(images()), features)
        network.reset_classifier(5)
        assert network(images()).shape == (2, 5)
    with pytest.raises(UserError, match="at least 0"):
        network.reset_classifier(-1)


@pytest.mark.slow
@pytest.mark.parametrize("preset", CASES)
def test_copies_pickles_and_scripts_compute_the_same(preset: str) -> None:
    _, network = made(preset)
    for form in (network.eval(), nas.fuse(network).eval()):
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch deprecates scripting
            expected = form(images())
            assert torch.equal(copy.deepcopy(form)(images()), expected)
            assert torch.equal(pickle.loads(pickle.dumps(form))(images()), expected)
            torch.testing.assert_close(torch.jit.script(form)(images()), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("preset", CASES)
def test_checkpointed_blocks_have_the_same_gradients(preset: str) -> None:
    def gradients(network: nn.Module) -> dict[str, Tensor]:
        torch.manual_seed(1)  # of drop path
        network.zero_grad()
        network(images()).square().mean().backward()
        return {name: one.grad.clone() for name, one in network.named_parameters() if one.grad is not None}

    _, network = made(preset)
    network.train()
    other = copy.deepcopy(network)
    other.set_grad_checkpointing()
    assert any(isinstance(one, CheckpointedBlocks) for one in other.modules())
    assert other.state_dict().keys() == network.state_dict().keys()
    expected, found = gradients(network), gradients(other)
    assert expected.keys() == found.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    for name, buffer in network.named_buffers():
        assert torch.equal(other.get_buffer(name), buffer)
    other.set_grad_checkpointing(False)
    assert not any(isinstance(one, CheckpointedBlocks) for one in other.modules())


@pytest.mark.parametrize("preset", CASES)
def test_names_tell_decay_and_layer(preset: str) -> None:
    architecture, network = made(preset)
    parameters = dict(network.named_parameters())
    assert network.no_weight_decay() == {name for name, one in parameters.items() if one.ndim <= 1}
    matcher = network.group_matcher()
    patterns = [matcher["stem"], *(pattern for pattern, _ in matcher["blocks"])]
    unmatched = [name for name in parameters if not any(re.match(one, name) for one in patterns)]
    assert all(name.startswith("head.") for name in unmatched)
    blocks = {found.groups() for name in parameters if (found := re.match(r"^stages\.(\d+)\.blocks\.(\d+)", name))}
    assert len(blocks) == architecture.depth
    coarse = network.group_matcher(coarse=True)["blocks"]
    assert {re.match(coarse, name)[1] for name in parameters if re.match(coarse, name)} == {
        str(index) for index in range(len(architecture.stages))
    }


def test_a_network_without_a_classifier_keeps_none() -> None:
    network = nas.build(nas.load_architecture("convnext_atto"), classes=0)
    assert (network.num_classes, network.get_classifier()) == (0, None)
    with pytest.raises(UserError, match="built without a classifier"):
        network.reset_classifier(3)
