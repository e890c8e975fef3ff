"""Learning curves in the form of other people's tools, each by its own library: TensorBoard, Weights & Biases, MLflow.

Nothing here opens a connection: what is written lies in a folder, and its owner may send it on.
"""

from nas.train.trackers.base import OpenRun, TrackedRun, Tracker
from nas.train.trackers.named import find_trackers

__all__ = ["OpenRun", "TrackedRun", "Tracker", "find_trackers"]
