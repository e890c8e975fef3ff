from __future__ import annotations

import pytest

import nas
from nas.architecture import Architecture, estimate
from nas.measure.prediction.features import NAMES, describe
from nas.measure.prediction.operations import operations
from nas.task import Task

TASK = Task(resolution=64, classes=10)
PRESETS = ["convnext_femto", "replknet_7", "van_b0", "unireplknet_a", "conv2former_n", "resnet50"]


@pytest.mark.parametrize("name", PRESETS)
def test_the_operations_of_the_parts_add_up_to_the_flops(name: str) -> None:
    """Independent of the closed form: what PyTorch was seen to call."""
    architecture = nas.load_architecture(name)
    counted = sum(
        one.flops * part.times for part in architecture.parts(TASK) for one in operations(part.spec, part.site)
    )
    assert counted == estimate(architecture, TASK).flops


def test_a_description_tells_kernels_apart() -> None:
    seen = {name: describe(nas.load_architecture(name), TASK) for name in ("replknet_7", "replknet_31b")}
    work = {name: dict(zip(NAMES, one.work, strict=True)) for name, one in seen.items()}
    assert work["replknet_7"]["depthwise>13 multiply-adds"] == 0
    assert work["replknet_31b"]["depthwise>13 multiply-adds"] > 0
    assert "depthwise kernel 31, reach 31" in seen["replknet_31b"].traits
    assert seen["replknet_7"].family != describe(nas.load_architecture("van_b0"), TASK).family


def test_the_same_architecture_has_the_same_description() -> None:
    one = nas.load_architecture("van_b0")
    again = describe(Architecture.from_dict(one.to_dict()), TASK)
    assert (describe(one, TASK).work == again.work).all()
