from __future__ import annotations

import pytest
import torch

from nas.train.failures import is_out_of_memory


def test_the_cpu_allocators_refusal_is_out_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert is_out_of_memory(caught.value)


def test_pythons_refusal_is_out_of_memory() -> None:
    with pytest.raises(MemoryError) as caught:
        bytearray(2**60)
    assert is_out_of_memory(caught.value)


def test_another_error_is_not_out_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.zeros(2, 3) @ torch.zeros(2, 3)
    assert not is_out_of_memory(caught.value)
    assert not is_out_of_memory(ValueError("out of memory"))


@pytest.mark.gpu
def test_the_accelerators_refusal_is_out_of_memory() -> None:
    with pytest.raises(torch.OutOfMemoryError) as caught:
        torch.empty(2**45, device="cuda")
    assert is_out_of_memory(caught.value)
