"""Damaged inputs for every reader, and the limits within which each has to end: `python fuzzing.py KIND SEED COUNT`.

An input ends well if it is read, or refused with one DataError; anything else, too much time, or too much memory is a
failure, named by kind and number so that it can be made again.
"""

from __future__ import annotations

import io
import json
import random
import resource
import signal
import struct
import sys
import tarfile
import tempfile
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow.parquet import write_table

from nas.data import open_source
from nas.data.images import PixelReader, decoded
from nas.data.survey import look_at
from nas.errors import DataError

SECONDS = 20
"""For one input, most of which take milliseconds; generous, since the machine may be busy."""
BYTES = 3 * 2**30
"""Of address space beyond what the process has."""
SIDE = 4
EXTREMES = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]

Case = Callable[[random.Random, Path], None]


class TooSlow(BaseException):
    """An input took more than its time."""


def damaged(content: bytes, rng: random.Random, *, start: int = 0) -> bytes:
    """Some bytes changed, cut, repeated, or replaced by an extreme number, from `start` on."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        if len(data) <= start:
            break
        place = rng.randrange(start, len(data))
        match rng.randrange(6):
            case 0:
                data[place] ^= 1 << rng.randrange(8)
            case 1:
                data[place] = rng.randrange(256)
            case 2:
                packed = struct.pack(rng.choice("<>") + "I", rng.choice(EXTREMES))
                data[place : place + 4] = packed
            case 3:
                del data[place : place + rng.randrange(1, 64)]
            case 4:
                data[place:place] = data[start : start + rng.randrange(1, 64)]
            case 5:
                data[place : place + rng.randrange(1, 64)] = bytes(rng.randrange(1, 64))
    return bytes(data[: rng.randrange(start, len(data) + 1)] if rng.random() < 0.1 else data)


def drawn_image(rng: random.Random) -> Image.Image:
    """Noise of a random mode and size."""
    size = rng.randrange(1, 40), rng.randrange(1, 40)
    pixels = np.frombuffer(rng.randbytes(size[0] * size[1] * 3), dtype=np.uint8).reshape(size[1], size[0], 3)
    return Image.fromarray(pixels).convert(rng.choice(["RGB", "RGB", "L", "P", "RGBA"]))


FORMATS = {
    "jpeg": ["RGB", "L", "CMYK"],
    "png": ["RGB", "L", "P", "RGBA"],
    "webp": ["RGB", "RGBA"],
    "avif": ["RGB", "RGBA"],
    "gif": ["P", "L"],
    "tiff": ["RGB", "L", "RGBA", "CMYK"],
    "dds": ["RGB", "RGBA"],
    "bmp": ["RGB", "P"],
}


def encoded(kind: str, rng: random.Random, **about: Any) -> bytes:
    """A whole image file."""
    file = io.BytesIO()
    drawn_image(rng).convert(rng.choice(FORMATS[kind])).save(file, kind.upper(), **about)
    return file.getvalue()


def exif_block(rng: random.Random) -> bytes:
    """Metadata with an orientation and odd entries, damaged."""
    order = rng.choice("<>")
    tags = [(0x0112, 3, 1, rng.randrange(10)), (rng.randrange(65536), rng.randrange(14), *rng.choices(EXTREMES, k=2))]
    entries = b"".join(struct.pack(f"{order}HHII", *tag) for tag in tags)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags))
    return b"Exif\0\0" + damaged(head + entries + bytes(8), rng)


def read_image(content: bytes) -> None:
    """As a source reads it."""
    look_at("some", lambda _: content, decode=True)
    pixels = PixelReader(lambda _: decoded(content), side=SIDE, channels=3)("some")
    assert pixels.shape == (3, SIDE, SIDE)
    assert pixels.dtype == np.uint8


def image_case(kind: str) -> Case:
    def case(rng: random.Random, folder: Path) -> None:
        read_image(damaged(encoded(kind, rng), rng))

    return case


def exif_case(rng: random.Random, folder: Path) -> None:
    read_image(encoded(rng.choice(["jpeg", "png", "webp"]), rng, exif=exif_block(rng)))


def read_source(reference: str, cache: Path) -> None:
    """List, and decode a few images."""
    source = open_source(reference)
    catalog = source.catalog(cache, lambda done, total: None)
    read = PixelReader(source.opener(), side=SIDE, channels=catalog.channels)
    for name in catalog.names[:3]:
        read(name)


def npz_case(rng: random.Random, folder: Path) -> None:
    """Headers are damaged before the archive is made, so that its checksums hold; or the archive itself is."""
    count = 12
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "x_train": np.frombuffer(rng.randbytes(count * 48), dtype=np.uint8).reshape(count, 4, 4, 3),
        "y_train": np.arange(count) % 2,
        "classes": np.array(["cat", "dog"]),
    }
    arrays |= {"x_test": arrays["x_train"], "y_test": arrays["y_train"]}
    worse = rng.choice([*arrays, None])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            content = member.getvalue()
            if name == worse:
                content = damaged(content[: content.index(b"\n") + 1], rng) + content[content.index(b"\n") + 1 :]
            archive.writestr(f"{name}.npy", content)
    path = folder / "some.npz"
    path.write_bytes(damaged(file.getvalue(), rng) if worse is None else file.getvalue())
    read_source(f"npz:{path}", folder)


def parquet_case(rng: random.Random, folder: Path) -> None:
    """The footer, the description by the hub's libraries, the labels or anything else."""
    images = [{"bytes": encoded("png", rng), "path": rng.choice([None, "a\0b", "x" * 5000, "../up"])} for _ in range(8)]
    kind = rng.randrange(4)
    labels: Any = [index % 2 for index in range(8)]
    if kind == 0:
        labels = rng.choice(
            [
                pa.array(rng.choices(EXTREMES, k=8), pa.uint64()),
                pa.array(rng.choices([None, 0, 1, -1], k=8), pa.int8()),
                pa.array(rng.choices(["a", "b", None], k=8)).dictionary_encode(),
                pa.array([rng.random() < 0.5 for _ in range(8)]),
                pa.array(rng.choices(["a", "b", ""], k=8), pa.large_string()),
                pa.array([[1]] * 8),
            ]
        )
    table = pa.table({"image": images, "label": labels})
    features: Any = {"label": {"_type": "ClassLabel", "names": ["a", "b"]}, "image": {"_type": "Image"}}
    described = json.dumps({"info": {"features": features}}).encode()
    if kind == 1:
        described = rng.choice(
            [
                damaged(described, rng),
                json.dumps({"info": rng.choice([None, 1, [], {"features": rng.choice([None, 3, "x", [1]])}])}).encode(),
                b'{"info":' * rng.randrange(20_000) + b"0",
                json.dumps({"info": {"features": {"label": {"_type": "ClassLabel", "names": [0] * 3}}}}).encode(),
            ]
        )
    path = folder / "some.parquet"
    write_table(table.replace_schema_metadata({"huggingface": described}), path)
    content = path.read_bytes()
    if kind == 2:
        path.write_bytes(damaged(content, rng))
    if kind == 3:
        footer = len(content) - 8 - struct.unpack("<I", content[-8:-4])[0]
        path.write_bytes(damaged(content, rng, start=footer))
    read_source(f"parquet:{path}", folder)


def cifar_case(rng: random.Random, folder: Path) -> None:
    """Archives with damaged members, headers that declare anything, links, and names that lead elsewhere."""
    import python2_pickles as python2

    pixels = np.frombuffer(rng.randbytes(4 * 3072), dtype=np.uint8).reshape(4, 3072)
    batch = python2.dumps({b"labels": [0, 1, 0, 1], b"data": pixels})
    files = {f"data_batch_{number}": batch for number in range(1, 6)}
    files |= {"test_batch": batch, "batches.meta": python2.dumps({b"label_names": [b"cat", b"dog"]})}
    worse, kind = rng.choice(list(files)), rng.randrange(5)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=rng.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            given = damaged(content, rng) if (name, kind) == (worse, 0) else content
            member.size = len(given)
            if (name, kind) == (worse, 1):
                member.type = rng.choice([tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
                member.linkname = rng.choice([member.name, "../../etc/passwd", "nowhere", "/dev/zero"])
            if (name, kind) == (worse, 2):
                member.name = rng.choice([f"../{name}", "", ".", "/", "a/" * 200 + name, f"__MACOSX/._{name}"])
            if (name, kind) == (worse, 3):
                member.size = rng.choice([2**33 - 1, 2**40, 10**6, 0])
                archive.fileobj.write(member.tobuf())  # type: ignore[union-attr]
                archive.fileobj.write(given)  # type: ignore[union-attr]
                continue
            archive.addfile(member, io.BytesIO(given))
    content = made.getvalue()
    path = folder / rng.choice(["cifar-10-python.tar", "cifar-10-python.tar.gz"])
    path.write_bytes(damaged(content, rng) if kind == 4 else content)
    read_source(f"cifar10:{path}", folder)


CASES: dict[str, Case] = {
    **{kind: image_case(kind) for kind in FORMATS},
    "exif": exif_case,
    "npz": npz_case,
    "parquet": parquet_case,
    "cifar": cifar_case,
}


@contextmanager
def limits() -> Iterator[None]:
    """Address space and time, for the main thread of this process; as they were afterwards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = signal.signal(signal.SIGALRM, _too_slow)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + BYTES, hard))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, before)


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def fuzz(kind: str, numbers: range, folder: Path) -> tuple[Counter[str], list[str]]:
    """How many inputs were read and how many refused, and what went wrong."""
    tally: Counter[str] = Counter()
    wrong = []
    with limits():
        for number in numbers:
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                CASES[kind](random.Random(f"{kind} {number}"), folder)
                tally["read"] += 1
            except DataError as error:
                tally["refused"] += 1
                if "\n" in str(error) or len(str(error)) > 3000:
                    wrong.append(f"{kind} {number}: a message of {len(str(error))} characters: {str(error)[:200]!r}")
            except (Exception, TooSlow):
                wrong.append(f"{kind} {number}: {traceback.format_exc(limit=-4)}")
    return tally, wrong


def main() -> int:
    """Print the tally and what went wrong as JSON."""
    kind, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        tally, wrong = fuzz(kind, range(first, first + count), Path(folder))
    print(json.dumps({"tally": tally, "wrong": wrong}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
