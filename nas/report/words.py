"""Metrics and their values in words, the same in the terminal, in plots and in pages."""

from __future__ import annotations

from nas.cost.budget import profile_of
from nas.units import format_count, format_seconds

_LABELS = {
    "accuracy": "validation top-1",
    "flops": "FLOPs",
    "params": "parameters",
    "activations": "activations",
    "train_flops": "FLOPs as trained",
    "train_params": "parameters as trained",
    "seconds": "seconds of training",
}


def metric_label(metric: str) -> str:
    """A metric in words.

    >>> metric_label("flops"), metric_label("latency@torch-cpu")
    ('FLOPs', 'ms on torch-cpu')
    """
    profile = profile_of(metric)
    return _LABELS.get(metric, metric) if profile is None else f"ms on {profile}"


def metric_words(metric: str, value: float) -> str:
    """A value of a metric, short.

    >>> metric_words("accuracy", 0.987), metric_words("flops", 4.5e9), metric_words("latency@p", 8.25)
    ('98.7%', '4.5G', '8.25 ms')
    """
    if metric == "accuracy":
        return accuracy_words(value)
    if metric == "seconds":
        return format_seconds(value)
    return format_count(value) if profile_of(metric) is None else f"{value:.3g} ms"


def accuracy_words(accuracy: float) -> str:
    """A share of images.

    >>> accuracy_words(0.98765)
    '98.8%'
    """
    return f"{accuracy:.1%}"


def percent(share: float) -> str:
    """A share, without decimals where they say little.

    >>> percent(0.123), percent(0.0042)
    ('12%', '0.4%')
    """
    return f"{share:.0%}" if share >= 0.1 or share == 0 else f"{share:.1%}"
