"""ExecuTorch's converter and its runtime, for `program.py`.

Importing the converter takes five seconds, and both write to the terminal what is of no use to people.
"""

from __future__ import annotations


def write(program: str, file: str) -> None:
    """An `ExportedProgram` for the runtime: what XNNPACK can compute by XNNPACK, the rest by portable kernels.

    Our networks ask for channels last, where that is fast on a CPU; XNNPACK chooses by itself, and the portable kernel
    that splits channels refuses it (1.5.1, "different dim orders").
    """
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    loaded = torch.export.load(program)
    for node in loaded.graph.nodes:
        if node.kwargs.get("memory_format") is torch.channels_last:
            node.kwargs = {**node.kwargs, "memory_format": torch.contiguous_format}
    lowered = to_edge_transform_and_lower(loaded, partitioner=[XnnpackPartitioner()])
    lowered.to_executorch().save(file)


def run(file: str, images: str, outputs: str) -> None:
    """What the runtime computes from every tensor of a file, as many images at a time as the program takes."""
    import torch
    from executorch.runtime import Runtime
    from safetensors.torch import load_file, save_file

    method = Runtime.get().load_program(file).load_method("forward")
    count = method.metadata.input_tensor_meta(0).sizes()[0]

    def computed(batch: torch.Tensor) -> torch.Tensor:
        # The next call writes into the same memory, hence the clones.
        return torch.cat([method.execute([part.contiguous()])[0].clone() for part in torch.split(batch, count)])

    save_file({name: computed(batch) for name, batch in load_file(images).items()}, outputs)
