"""The reader of .params files agrees with MXNet's own, and answers what is broken."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from adapters.mxnet.params import DTYPES, read_params
from ir_hub.blobs.digest import sha256
from ir_hub.ir.tensor import Blob, BlobTensor
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel

Array = np.ndarray[Any, Any]
SAVED = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")


def read(content: bytes) -> dict[str, BlobTensor]:
    blob = Blob(sha256(content), len(content))
    files = Files((SourceFile("m.params", Path("m.params"), blob),), lambda _: memoryview(content))
    return read_params(files.main, files)


def saved(named: dict[str, Array], folder: Path) -> bytes:
    path = folder / "m.params"
    mx.nd.save(str(path), {name: mx.nd.array(a, dtype=a.dtype) for name, a in named.items()})
    return path.read_bytes()


any_array = st.sampled_from(SAVED).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(max_dims=5, max_side=4))
)
names = st.text(st.characters(codec="utf-8", exclude_characters=":\0"), min_size=1, max_size=9)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, any_array, max_size=4))
def test_same_as_mxnet(tmp_path_factory: pytest.TempPathFactory, named: dict[str, Array]) -> None:
    content = saved(named, tmp_path_factory.mktemp("params"))
    found = read(content)
    assert found.keys() == named.keys()
    for name, array in named.items():
        assert found[name].dtype is DType.of(array.dtype)
        np.testing.assert_array_equal(found[name].numpy(), array)


def test_prefixes_are_left_out(tmp_path: Path) -> None:
    one = np.ones(2, np.float32)
    found = read(saved({"arg:w": one, "aux:m": one, "bare": one}, tmp_path))
    assert sorted(found) == ["bare", "m", "w"]


def listed(*entries: bytes, names: tuple[str, ...]) -> bytes:
    texts = b"".join(struct.pack("<Q", len(name)) + name.encode() for name in names)
    counts = struct.pack("<QQQ", 0x112, 0, len(entries)), struct.pack("<Q", len(names))
    return counts[0] + b"".join(entries) + counts[1] + texts


DATA = np.arange(6, dtype=np.float32)
OLD = {
    "before V1": struct.pack("<3I3i", 2, 2, 3, 1, 0, 0),
    "V1": struct.pack("<2I2q3i", 0xF993FAC8, 2, 2, 3, 1, 0, 0),
    "V2": struct.pack("<IiI2q3i", 0xF993FAC9, 0, 2, 2, 3, 1, 0, 0),
    "V3": struct.pack("<Iii2q3i", 0xF993FACA, 0, 2, 2, 3, 1, 0, 0),
}


@pytest.mark.parametrize("version", OLD)
def test_versions(version: str, tmp_path: Path) -> None:
    content = listed(OLD[version] + DATA.tobytes(), names=("w",))
    (tmp_path / "m.params").write_bytes(content)
    wanted = (
        mx.nd.load(str(tmp_path / "m.params"))["w"].asnumpy()
        if version != "V3"
        else DATA.reshape(2, 3)
    )
    np.testing.assert_array_equal(read(content)["w"].numpy(), wanted)
    assert read(content)["w"].shape == (2, 3)


def test_no_bytes_are_copied(tmp_path: Path) -> None:
    content = saved({"w": DATA}, tmp_path)
    tensor = read(content)["w"]
    assert content[tensor.offset : tensor.offset + DATA.nbytes] == DATA.tobytes()


def test_truncated_anywhere(tmp_path: Path) -> None:
    content = saved({"arg:w": DATA, "aux:v": DATA.astype(np.int8)}, tmp_path)
    read(content)
    for end in range(len(content)):
        with pytest.raises(BadModel, match=r"cut off|is not an MXNet"):
            read(content[:end])


def test_damaged_bytes_are_answered(tmp_path: Path) -> None:
    content = saved({"w": DATA}, tmp_path)
    for place in range(len(content)):
        for value in (0, 0x7F, 0xFF):
            try:
                read(content[:place] + bytes([value]) + content[place + 1 :])
            except BadModel:
                continue


def test_every_type_has_bytes() -> None:
    assert all(dtype.bits >= 8 for dtype in DTYPES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an MXNet .params file"),
        (struct.pack(">QQQ", 0x112, 0, 0), "is not an MXNet .params file"),
        (b"\x80\x04\x95" + bytes(20), "a pickle or a zip archive, which is never opened"),
        (b"PK\x03\x04" + bytes(20), "a pickle or a zip archive, which is never opened"),
        (listed(OLD["V2"] + DATA.tobytes(), names=()), "has 1 arrays and 0 names"),
        (listed(OLD["V2"] + DATA.tobytes(), names=("w",)) + b"x", "goes on after its last name"),
        (listed(struct.pack("<Ii", 0xF993FAC9, 1), names=()), "array 0 of m.params is sparse"),
        (listed(struct.pack("<IiI", 0xF993FAC9, 0, 99), names=()), "has 99 axes"),
        (listed(OLD["V2"][:-4] + struct.pack("<i", 77), names=("w",)), "unknown type 77"),
        (listed(*[OLD["V2"] + DATA.tobytes()] * 2, names=("arg:w", "aux:w")), "of one name"),
    ],
)  # fmt: skip
def test_bad_files(content: bytes, message: str) -> None:
    with pytest.raises(BadModel, match=message):
        read(content)
