from __future__ import annotations

import pytest

from nas.executors.silence import HangRule, Silence


def stretch(rule: HangRule, silence: Silence, seconds: int, *, pulse: bool = True) -> str | None:
    """Listen for so long; how the worker ended, if it was stuck before that was over."""
    for _ in range(seconds):
        if pulse:
            silence.break_off()
        ending = rule.wait(silence, 1.0)
        if ending is not None:
            return ending
    return None


def test_a_worker_without_a_pulse_is_stuck_at_the_limit() -> None:
    rule, silence = HangRule(10.0), Silence()
    assert stretch(rule, silence, 11, pulse=False) is None
    assert stretch(rule, silence, 1, pulse=False) == "said nothing for 10.0 s and was killed"


def test_a_process_that_starts_has_longer() -> None:
    rule, silence = HangRule(10.0), Silence(start=60.0)
    assert stretch(rule, silence, 61, pulse=False) is None
    assert stretch(rule, silence, 1, pulse=False) == "said nothing for 1 min 00 s and was killed"
    silence.break_off()
    assert stretch(rule, silence, 12, pulse=False) == "said nothing for 10.0 s and was killed"


def test_a_job_that_never_reports_may_take_for_ever() -> None:
    assert stretch(HangRule(10.0), Silence(), 100_000) is None


def test_a_first_step_has_ten_times_as_long() -> None:
    rule, silence = HangRule(10.0), Silence()
    for reports in (1, 2, 3):  # it begins, and reads images
        rule.report(silence, reports, 0.0)
        assert stretch(rule, silence, 101) is None
    assert stretch(rule, silence, 2000) == "made no progress for 33 min 40 s and was killed"


@pytest.mark.parametrize(("pause", "limit"), [(0, 10), (3, 60), (30, 600)])
def test_the_limit_follows_the_longest_pause_of_any_worker(pause: int, limit: int) -> None:
    rule, slow, other = HangRule(10.0), Silence(), Silence()
    rule.report(slow, 1, 0.0)
    assert stretch(rule, slow, pause) is None
    rule.report(slow, 2, 0.1)
    for reports in (1, 2):
        rule.report(other, reports, reports / 10)
    assert stretch(rule, other, limit + 1) is None
    assert stretch(rule, other, 1) is not None


def test_the_next_job_begins_anew() -> None:
    rule, silence = HangRule(10.0), Silence()
    for reports in (1, 2):
        rule.report(silence, reports, 0.5)
    stretch(rule, silence, 9)
    silence.begin()
    assert stretch(rule, silence, 1000) is None


def test_a_limit_is_above_nothing() -> None:
    with pytest.raises(ValueError, match="must be above 0, got 0"):
        HangRule(0.0)
