"""Where jobs run: one small protocol (`base`), local processes (`local`), and whatever else is registered."""

from nas.executors.base import Executor, Finished, Report, Work, executors
from nas.executors.local import LocalExecutor
from nas.executors.ray_executor import RayExecutor

__all__ = ["Executor", "Finished", "LocalExecutor", "RayExecutor", "Report", "Work", "executors"]
