"""Only values that are worse beyond doubt are cut."""

from __future__ import annotations

from planted import TINY, World, drawn

from nas.analysis.effects.model import fit_effects
from nas.analysis.effects.narrowing import Question, cuts

KERNELS = tuple(f"stages.{stage}.block.mixer.kernel" for stage in range(3))
QUESTIONS = [
    Question(decisions=("stages.block.norm",), is_range=False),
    Question(decisions=("stages.block.act_placement",), is_range=False),
    Question(decisions=("stages.1.block.mixer.kernel",), is_range=False),
    Question(decisions=("stages.0.depth",), is_range=True),
]


def test_what_was_planted_is_cut_and_what_was_not_stays() -> None:
    found = {cut.question.decisions[0]: cut for cut in cuts(fit_effects(drawn(TINY, 1500, 0), "flops"), QUESTIONS)}
    assert found["stages.block.norm"].losses[0].values == ("batchnorm",)
    assert {value for loss in found["stages.1.block.mixer.kernel"].losses for value in loss.values} == {3, 5}
    assert "stages.block.act_placement" not in found
    for cut in found.values():
        for loss in cut.losses:
            assert loss.evidence.against == loss.level
            assert loss.evidence.low is not None
            assert loss.evidence.low > 0


def test_stages_that_share_a_place_lose_what_all_of_them_lose() -> None:
    kernels = Question(decisions=KERNELS, is_range=False)
    everywhere = World(marginals={name: {3: -0.01, 5: 0.0, 7: 0.01} for name in KERNELS})
    (cut,) = cuts(fit_effects(drawn(everywhere, 400, 0), "flops"), [kernels])
    assert (3,) in [loss.values for loss in cut.losses]
    opposite = World(marginals={KERNELS[0]: {3: 0.02, 5: 0.0, 7: -0.02}, KERNELS[1]: {3: -0.05, 5: 0.0, 7: 0.05}})
    for cut in cuts(fit_effects(drawn(opposite, 400, 0), "flops"), [kernels]):
        assert (3,) not in [loss.values for loss in cut.losses]  # the best one of the first stage


def test_a_range_loses_values_at_its_ends_only() -> None:
    dip = World(marginals={"stages.0.depth": {1: 0.0, 2: -0.06, 3: 0.06, 4: 0.0}})
    question = Question(decisions=("stages.0.depth",), is_range=True)
    for cut in cuts(fit_effects(drawn(dip, 400, 0), "flops"), [question]):
        lost = {value for loss in cut.losses for value in loss.values}
        assert lost in ({1}, {4}, {1, 4}, {1, 2}, {1, 2, 4})


def test_a_world_without_effects_is_not_cut() -> None:
    assert sum(bool(cuts(fit_effects(drawn(World(), 150, seed), "flops"), QUESTIONS)) for seed in range(10)) <= 2
