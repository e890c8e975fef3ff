from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given, strategies as st

from nas.cost import METRICS, Bound, Budget, Cost
from nas.errors import BudgetError

BOUNDS = st.builds(
    lambda metric, ends: Bound(metric, max(ends), min(ends)),
    st.sampled_from(METRICS),
    st.tuples(st.integers(1, 10**13), st.integers(0, 10**13)),
)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("4.5GFLOPs", Bound("flops", 4_500_000_000)),
        ("4500MMACs", Bound("flops", 4_500_000_000)),
        ("4.5gflops", Bound("flops", 4_500_000_000)),
        ("30Mparams", Bound("params", 30_000_000)),
        ("12Mactivations", Bound("activations", 12_000_000)),
        ("4.2..4.5GFLOPs", Bound("flops", 4_500_000_000, 4_200_000_000)),
        ("4200MFLOPs..4.5GFLOPs", Bound("flops", 4_500_000_000, 4_200_000_000)),
        ("4.2 .. 4.5 GFLOPs", Bound("flops", 4_500_000_000, 4_200_000_000)),
        ("4..4params", Bound("params", 4, 4)),
        ("0..4params", Bound("params", 4)),
    ],
)
def test_bound_is_read(text: str, bound: Bound) -> None:
    assert Bound.parse(text) == bound


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4.5G", "G of what?"),
        ("30", "has no unit"),
        ("8ms", "a latency needs the profile it is measured by, as in '8ms@torch-cpu'"),
        ("6..8ms", "a latency needs the profile"),
        ("8ms@", "a latency needs the profile"),
        ("0ms@torch-cpu", "leaves nothing to spend"),
        ("9..8ms@torch-cpu", "is empty"),
        ("4.5GFLOPs@torch-cpu", "flops need no profile"),
        ("4.5..4.2GFLOPs", "'4.5..4.2GFLOPs' is empty: its lower end is above its upper end"),
        ("4GFLOPs..30Mparams", "'4GFLOPs..30Mparams' mixes flops and params; give each its own --budget"),
        ("4.2..", "'4.2..': a range has two ends, as in '4.2..4.5GFLOPs'; a limit alone is '4.5GFLOPs'"),
        ("..4GFLOPs", "a range has two ends"),
        ("0GFLOPs", "'0GFLOPs' leaves nothing to spend; a budget must be above 0"),
        ("0.2params", "leaves nothing to spend"),
        ("4.5GFLOPs,30Mparams", "cannot read '4.5GFLOPs,30Mparams'"),
    ],
)
def test_bound_that_cannot_be_read_says_why(text: str, message: str) -> None:
    with pytest.raises(BudgetError) as caught:
        Bound.parse(text)
    assert message in str(caught.value)


@given(BOUNDS)
def test_bound_reads_back_from_what_it_shows(bound: Bound) -> None:
    assert Bound.parse(str(bound)) == bound


@given(BOUNDS, st.integers(0, 10**13))
def test_overrun_is_positive_exactly_outside(bound: Bound, value: int) -> None:
    assert (bound.overrun(value) > 0) == (not bound.low <= value <= bound.high)


def test_overrun_says_how_far() -> None:
    bound = Bound("flops", high=100, low=50)
    assert bound.overrun(150) == pytest.approx(0.5)
    assert bound.overrun(25) == pytest.approx(0.5)
    assert bound.overrun(75) <= 0
    assert Bound("flops", high=100).overrun(0) == -1


def test_budget_joins_two_metrics() -> None:
    budget = Budget.parse(["4.5GFLOPs", "30Mparams"])
    assert budget.allows(Cost(flops=4_500_000_000, params=30_000_000))
    assert not budget.allows(Cost(flops=4_500_000_001, params=1))
    assert not budget.allows(Cost(flops=1, params=30_000_001))
    assert budget.overrun({"flops": 9_000_000_000, "params": 15_000_000}) == {"flops": 1.0, "params": -0.5}
    assert str(budget) == "4.5GFLOPs and 30Mparams"


def test_budget_bounds_the_deployed_form() -> None:
    assert Budget.parse("10params").allows(Cost(params=10, train_params=99))


def test_two_budgets_on_one_metric_ask_for_a_range() -> None:
    with pytest.raises(BudgetError, match=r"two budgets on flops; write one, or a range such as '4\.2\.\.4\.5GFLOPs'"):
        Budget.parse(["4GFLOPs", "5GMACs"])


@pytest.mark.parametrize("nothing", [None, []])
def test_no_budget_allows_everything(nothing: list[str] | None) -> None:
    budget = Budget.parse(nothing)
    assert budget.allows(Cost(flops=10**18))
    assert budget.overrun(Cost()) == {}
    assert math.isnan(budget.share(Cost()))
    assert str(budget) == "no budget"


def test_share_is_that_of_the_tightest_bound() -> None:
    assert Budget.parse(["100FLOPs", "10params"]).share(Cost(flops=50, params=9)) == pytest.approx(0.9)


@given(st.text(alphabet="0123456789.kMGTFLOPsparmce @_-", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BudgetError):
        assert Budget.parse(text).bounds[0].high > 0


def test_bare_number_is_asked_for_its_unit() -> None:
    with pytest.raises(BudgetError, match=r"the budget 4500000000\.0 has no unit; write it as text"):
        Budget.parse(4.5e9)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["8ms@torch-cpu", "0.25ms@mine.yaml", "5ms..8.5ms@onnxruntime-cpu"])
def test_a_latency_is_bounded_by_its_profile(text: str) -> None:
    bound = Bound.parse(text)
    assert bound.profile == text.partition("@")[2]
    assert str(bound) == text
    assert Bound.parse(str(bound)) == bound


def test_what_is_measured_is_told_from_what_is_not() -> None:
    budget = Budget.parse(["30MFLOPs", "8ms@torch-cpu", "3ms@torch-cuda"])
    assert str(budget.closed) == "30MFLOPs"
    assert [bound.metric for bound in budget.measured] == ["latency@torch-cpu", "latency@torch-cuda"]
    overrun = budget.overrun({"flops": 15_000_000, "latency@torch-cpu": 10.0, "latency@torch-cuda": 3.0})
    assert overrun == {"flops": -0.5, "latency@torch-cpu": 0.25, "latency@torch-cuda": 0.0}
    with pytest.raises(BudgetError, match="two budgets on latency@torch-cpu"):
        Budget.parse(["8ms@torch-cpu", "9ms@torch-cpu"])
