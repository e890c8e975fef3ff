"""Pickles as Python 2 wrote them, which Python 3 cannot write: its strings are bytes with opcodes of their own."""

from __future__ import annotations

import struct

import numpy as np


def dumps(thing: object) -> bytes:
    """Protocol 2, with the opcodes that Python 2's cPickle and NumPy 1 used."""
    return b"\x80\x02" + _written(thing) + b"."


def _written(thing: object) -> bytes:
    match thing:
        case bytes():
            return (b"U" + bytes([len(thing)]) if len(thing) < 256 else b"T" + struct.pack("<i", len(thing))) + thing
        case int():
            return b"J" + struct.pack("<i", thing)
        case list():
            return b"](" + b"".join(map(_written, thing)) + b"e"
        case dict():
            return b"}(" + b"".join(_written(key) + _written(value) for key, value in thing.items()) + b"u"
        case np.ndarray():
            empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
            dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
            rows, columns = map(_written, thing.shape)
            return empty + b"(K\x01" + rows + columns + b"\x86" + dtype + b"\x89" + _written(thing.tobytes()) + b"tb"
    raise TypeError(type(thing).__name__)
