"""Reads `.params` files, MXNet's lists of named arrays, by where their bytes lie in the file."""

from __future__ import annotations

import struct
from typing import Any

from ir_hub.ir.tensor import BlobTensor, byte_size
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel

LIST = 0x112  # what a list of arrays begins with
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA  # what an array does; before them, its rank
_DENSE = 0
_MOST_AXES = 32

DTYPES = (
    DType.FLOAT32, DType.FLOAT64, DType.FLOAT16, DType.UINT8, DType.INT32, DType.INT8, DType.INT64,
    DType.BOOL, DType.INT16, DType.UINT16, DType.UINT32, DType.UINT64, DType.BFLOAT16,
)  # fmt: skip


def read_params(file: SourceFile, files: Files) -> dict[str, BlobTensor]:
    """The arrays by name, `arg:` and `aux:` left out; their elements stay in the file.

    Raises:
        BadModel: the file is something else, cut off, or has sparse or unnamed arrays.
    """
    return _Reader(file, files).read()


class _Reader:
    """Reads one file from its beginning on."""

    def __init__(self, file: SourceFile, files: Files) -> None:
        self.file, self.files = file, files
        self.view = files.open_blob(file.blob).cast("B")
        self.at = 0

    def read(self) -> dict[str, BlobTensor]:
        if len(self.view) < 8 or self.number("Q") != LIST:
            raise BadModel(self.not_params())
        self.number("Q")  # reserved
        arrays = [self.array(index) for index in range(self.count("arrays"))]
        names = [self.name() for _ in range(self.count("names"))]
        if len(names) != len(arrays):
            raise BadModel(
                f"{self.file.name} has {len(arrays)} arrays and {len(names)} names: "
                "weights are found by their names"
            )
        if self.at != len(self.view):
            raise BadModel(f"{self.file.name} goes on after its last name, at byte {self.at}")
        found = {name.partition(":")[2] or name: t for name, t in zip(names, arrays, strict=True)}
        if len(found) != len(names):
            raise BadModel(f"{self.file.name} has several arrays of one name")
        return {name: tensor for name, tensor in found.items() if tensor is not None}

    def array(self, index: int) -> BlobTensor | None:
        """An array; None for one that was never given a shape."""
        magic = self.number("I")
        if magic in (_V2, _V3) and self.number("i") != _DENSE:
            raise BadModel(
                f"array {index} of {self.file.name} is sparse: save it as a dense one "
                "(`array.tostype('default')`)"
            )
        shape = self.shape(magic, index)
        if shape is None:
            return None
        self.take("ii")  # the device that it was on
        flag = self.number("i")
        if not 0 <= flag < len(DTYPES):
            raise BadModel(f"array {index} of {self.file.name} is of the unknown type {flag}")
        dtype, start = DTYPES[flag], self.at
        self.skip(byte_size(dtype, shape))
        return BlobTensor(self.file.blob, start, dtype, shape, self.files.open_blob)

    def shape(self, magic: int, index: int) -> tuple[int, ...] | None:
        rank = magic if magic not in (_V1, _V2, _V3) else self.number("i")
        if not -1 <= rank <= _MOST_AXES:
            raise BadModel(f"array {index} of {self.file.name} has {rank} axes: the file is broken")
        if rank == -1 or (rank == 0 and magic != _V3):
            return None
        narrow = magic not in (_V1, _V2, _V3)
        shape = self.take(f"{rank}{'I' if narrow else 'q'}")
        if any(size < 0 for size in shape):
            raise BadModel(f"array {index} of {self.file.name} has the shape {shape}")
        return shape

    def name(self) -> str:
        start, length = self.at + 8, self.number("Q")
        self.skip(length)
        try:
            return str(self.view[start : self.at], "utf-8")
        except UnicodeDecodeError as error:
            raise BadModel(f"{self.file.name} has a name that is no text") from error

    def count(self, what: str) -> int:
        """How many follow; each takes 8 bytes at least."""
        count: int = self.number("Q")
        if count > (len(self.view) - self.at) // 4:
            raise BadModel(f"{self.file.name} is cut off: it should have {count} {what}")
        return count

    def number(self, code: str) -> Any:
        return self.take(code)[0]

    def take(self, codes: str) -> tuple[int, ...]:
        layout = struct.Struct(f"<{codes}")
        start = self.at
        self.skip(layout.size)
        return layout.unpack_from(self.view, start)

    def skip(self, count: int) -> None:
        if count > len(self.view) - self.at:
            raise BadModel(
                f"{self.file.name} is cut off: {count} bytes are needed at byte {self.at}, "
                f"it has {len(self.view)}"
            )
        self.at += count

    def not_params(self) -> str:
        said = f"{self.file.name} is not an MXNet .params file"
        head = bytes(self.view[:2])
        if head in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK"):
            said += (
                "; it is a pickle or a zip archive, which is never opened here: load it where it "
                "was made and save it with `mx.nd.save` or `net.export`"
            )
        return said
