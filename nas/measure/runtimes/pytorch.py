"""PyTorch, eager or compiled, on the processor or a CUDA device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nas.measure.machine import processor
from nas.measure.profile import Profile
from nas.measure.runtimes.base import RefusedError, Runtime, Timer, runtimes, stopwatch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas.task import Task


class PyTorch(Runtime):
    """The networks as they are built, with their own kernels for the processor."""

    packages = ("torch",)

    def missing(self, profile: Profile) -> str | None:
        """Why the profile cannot be measured here: torch itself is always there, a CUDA device is not."""
        if profile.device == "cpu":
            return None
        import torch

        if not torch.cuda.is_available():
            return "there is no CUDA device here, or this PyTorch is built without CUDA; measure on a machine with one"
        if profile.precision == "bf16" and not torch.cuda.is_bf16_supported():
            return "this CUDA device does not compute in bf16; use precision fp16 or fp32"
        return None

    def versions(self, profile: Profile) -> str:
        """With the build, the CUDA version and the settings that change the time."""
        import torch

        named = f"torch {torch.__version__}"
        if profile.device == "cuda":
            tf32 = "on" if torch.backends.cudnn.allow_tf32 else "off"
            cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
            named += f", CUDA {torch.version.cuda}, cuDNN {cudnn}, TF32 {tf32}"
        return named

    def device(self, profile: Profile) -> str:
        """The processor, or the CUDA device with its memory."""
        if profile.device == "cpu":
            return processor()
        import torch

        properties = torch.cuda.get_device_properties(torch.cuda.current_device())
        return f"{properties.name} ({round(properties.total_memory / 2**30)} GiB)"

    def load(self, profile: Profile, network: nn.Module | Path, task: Task) -> Timer:
        """Move, cast and perhaps compile a network; raises RefusedError where torch cannot."""
        import torch

        if isinstance(network, Path):
            raise ValueError("torch takes a module, not a file")
        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[profile.precision]
        layout = torch.contiguous_format if profile.memory_format == "channels_first" else torch.channels_last
        try:
            ready = network.to(profile.device, dtype)
            ready.to(memory_format=layout)  # type: ignore[call-overload]  # its stubs leave this form out
            shape = (profile.batch, task.channels, task.resolution, task.resolution)
            images = torch.randn(shape, generator=torch.Generator().manual_seed(0))
            images = images.to(device=profile.device, dtype=dtype).contiguous(memory_format=layout)
            run = _forward(torch.compile(ready) if profile.compile else ready, images, profile.threads)
            run()
        except (RuntimeError, NotImplementedError) as error:
            raise RefusedError(f"torch: {_first_line(error)}") from error
        return _events(run) if profile.clock == "device" else stopwatch(profile, _synchronised(profile, run))


def _forward(network: Callable[[Tensor], Tensor], images: Tensor, threads: int | None) -> Callable[[], object]:
    import torch

    @torch.inference_mode()
    def run() -> object:
        if threads is not None and torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        return network(images)

    return run


def _synchronised(profile: Profile, run: Callable[[], object]) -> Callable[[], object]:
    if profile.device == "cpu":
        return run
    import torch

    def whole() -> object:  # the queue is empty at the start: the run before was waited for
        result = run()
        torch.cuda.synchronize()
        return result

    return whole


def _events(run: Callable[[], object]) -> Timer:
    import torch

    def once() -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()
        start.record()
        run()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end))

    return once


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


runtimes.register("torch")(PyTorch())
