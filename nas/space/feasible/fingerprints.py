"""64-bit fingerprints of parts and networks, the same in every process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.layers import Spec, canonical_value
from nas.schema.fields import field_types


def weights(count: int) -> NDArray[np.int64]:
    """Odd 64-bit numbers, the same in every process."""
    return np.array([digest(("weight", index)) | 1 for index in range(count)], np.uint64).astype(np.int64)


def scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit of the result depends on every bit of the value (the finaliser of splitmix64, public domain)."""
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def digest(value: object) -> int:
    """A 64-bit number from the text of a plain value, the same in every process."""
    return int.from_bytes(hashlib.blake2b(repr(value).encode(), digest_size=8).digest(), "little")


def total(keys: Iterable[int]) -> int:
    """The sum of 64-bit keys, modulo 2**64."""
    return sum(keys) & 0xFFFFFFFFFFFFFFFF


def key_of(spec: Spec | None) -> int:
    """A 64-bit fingerprint; equal for equal canonical forms."""
    if spec is None:
        return digest(None)
    types = field_types(type(spec))
    return total((digest(spec.kind), *(field_key(spec.kind, name, getattr(spec, name)) for name in types)))


def field_key(kind: str, name: str, value: Any) -> int:
    """What a field adds to the fingerprint of its spec."""
    return digest((kind, name, json.dumps(canonical_value(value), sort_keys=True)))
