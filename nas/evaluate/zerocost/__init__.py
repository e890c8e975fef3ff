"""Zero-cost scores: numbers read off an untrained network that are said to foretell how well it will do.

One file a score; `nas trust` judges them all beside real trainings.
"""

from nas.evaluate.zerocost import flops, jacob_cov, naswot, params, synflow, zen_score
from nas.evaluate.zerocost.base import Score, scores

__all__ = ["Score", "scores"]
