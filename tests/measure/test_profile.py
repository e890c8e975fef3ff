from __future__ import annotations

from pathlib import Path

import pytest

from nas.errors import UnknownNameError, UserError
from nas.measure.profile import Profile, load_profile, own_names, packaged_names


def test_the_promised_profiles_are_there() -> None:
    assert {"torch-cpu", "torch-cuda", "torch-cuda-compiled", "onnxruntime-cpu", "openvino-cpu"} <= set(
        packaged_names()
    )


@pytest.mark.parametrize("name", packaged_names())
def test_a_packaged_profile_reads_and_says_what_it_is(name: str) -> None:
    named = load_profile(name)
    assert named.name == name
    assert named.profile.about.endswith(".")
    assert Profile.model_validate(named.profile.canonical()).id == named.id


def test_what_differs_in_any_point_but_the_words_has_another_id() -> None:
    base = load_profile("torch-cpu").profile
    changes = {"threads": 2, "clock": "wall", "batch": 8, "resolution": 64, "precision": "bf16", "max_spread": 0.2}
    others = {Profile.model_validate({**base.canonical(), **changes}).id}
    for name, value in (("batch", 8), ("resolution", 64), ("max_spread", 0.2), ("precision", "bf16")):
        others.add(Profile.model_validate({**base.canonical(), name: value}).id)
    assert len(others) == 5
    assert base.id not in others
    assert Profile.model_validate({**base.canonical(), "about": "Another sentence."}).id == base.id


def test_own_profiles_are_found_by_name_and_by_path(quick: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(quick).parent
    (folder / "space.yaml").write_text("stages: []\n")
    monkeypatch.chdir(folder)
    assert own_names() == ["quick-torch"]
    assert load_profile("quick-torch").id == load_profile(quick).id


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runtime: torhc", "runtime: input should be 'torch', 'onnxruntime', 'openvino' or 'command'"),
        ("runtime: torch\nthread: 1", "unknown key 'thread'; did you mean 'threads'?"),
        ("runtime: torch\nclock: process", "'process' counts the CPU time of all threads"),
        ("runtime: torch\nclock: device", "clock 'device' is that of cuda"),
        ("runtime: onnxruntime\nprecision: bf16", "networks go to onnxruntime in fp32"),
        ("runtime: openvino\ncompile: true", "compile and memory_format are torch's"),
        ("runtime: command\nclock: reported", "the key 'command'"),
        ("runtime: torch\nruns: {rounds: 9, at_most: 3}", "at_most (3) is below rounds (9)"),
        ('runtime: command\nclock: reported\ncommand: {argv: [x], figure: "(.)"}', "must hold {model}"),
        ('runtime: command\nclock: reported\ncommand: {argv: ["{model}"], figure: "("}', "no regular expression"),
        ('runtime: command\nclock: reported\ncommand: {argv: ["{model}"], figure: "x"}', "needs a group"),
    ],
)
def test_a_wrong_profile_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        load_profile(str(file))
    assert message.lower() in str(caught.value).lower()
    assert "mine.yaml:" in str(caught.value)


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'torch-cpu'"):
        load_profile("torch_cpu")
