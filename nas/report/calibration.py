"""What a calibration is worth, as plain data."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas.measure.prediction.calibration import Calibration, Quality


def calibration_document(calibration: Calibration, *, profile: str, seconds: float, unstable: int) -> dict[str, Any]:
    """JSON-ready.

    Args:
        calibration: what was fitted.
        profile: name of its profile.
        seconds: that measuring and fitting took.
        unstable: measured networks among them whose records are flagged.
    """
    trivial = ("flops", "flops_activations", "block_sum")
    return {
        "profile": profile,
        "n": calibration.n,
        "model": calibration.model,
        **_plain(calibration.quality),
        "coverage": calibration.coverage,
        "interval": math.expm1(calibration.half_width),
        "seconds": seconds,
        "unstable": unstable,
        **{name: _plain(calibration.others[name]) for name in trivial},
        "models": {
            name: {**_plain(one), "family_mape": calibration.family_mape[name]}
            for name, one in calibration.others.items()
            if name not in trivial
        },
    }


def _plain(quality: Quality) -> dict[str, Any]:
    return {name: None if math.isnan(value) else value for name, value in asdict(quality).items()}
