from __future__ import annotations

import pytest
import torch

from nas.train.failures import TooLittleMemory, is_out_of_memory, within_memory


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


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often memory was given back; what the tests of a whole run have left takes a second to look through."""
    devices: list[str] = []
    monkeypatch.setattr("nas.train.failures.release_memory", devices.append)
    return devices


@pytest.mark.parametrize(("room", "tried"), [(100, [None]), (50, [None, 50]), (13, [None, 50, 25, 13])])
def test_what_does_not_fit_is_tried_in_halves(room: int, tried: list[int | None], released: list[str]) -> None:
    sizes: list[int | None] = []

    def attempt(micro_batch: int | None) -> int:
        sizes.append(micro_batch)
        if (micro_batch or 100) > room:
            raise MemoryError
        return micro_batch or 100

    assert within_memory(attempt, batch=100, halvings=3, device="cpu") == room
    assert sizes == tried
    assert released == ["cpu"] * (len(tried) - 1)
    room = 12
    with pytest.raises(TooLittleMemory, match="no memory for 13 images at a time") as caught:
        within_memory(attempt, batch=100, halvings=3, device="cpu")
    assert is_out_of_memory(caught.value)


@pytest.mark.usefixtures("released")
def test_nothing_is_smaller_than_one_image_and_no_other_error_is_tried_again() -> None:
    def attempt(micro_batch: int | None) -> None:
        raise MemoryError if micro_batch != 2 else ValueError("not a matter of memory")

    with pytest.raises(TooLittleMemory, match="no memory for 1 images"):
        within_memory(attempt, batch=1, halvings=3, device="cpu")
    with pytest.raises(ValueError, match="matter of memory"):
        within_memory(attempt, batch=8, halvings=3, device="cpu")


@pytest.mark.gpu
def test_the_accelerators_refusal_is_out_of_memory() -> None:
    with pytest.raises(torch.OutOfMemoryError) as caught:
        torch.empty(2**45, device="cuda")
    assert is_out_of_memory(caught.value)
