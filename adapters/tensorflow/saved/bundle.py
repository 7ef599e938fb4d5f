"""A checkpoint's variables: where each lies in the files beside its index."""

from __future__ import annotations

from pathlib import PurePosixPath

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import tensor_bundle_pb2

from adapters.tensorflow.saved.checksum import masked
from adapters.tensorflow.saved.elements import dtype_of
from adapters.tensorflow.saved.sstable import read_table
from ir_hub.ir.tensor import BlobTensor, Tensor, byte_size
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel

_HEADER = b""  # the key of what is said about the checkpoint itself
_CHECKSUM = 4  # bytes, between the length of a text and the text
_OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"


class Bundle:
    """The variables that an index file names."""

    def __init__(self, files: Files, index: SourceFile) -> None:
        """Reads the index.

        Raises:
            BadModel: it is damaged, or isn't one.
        """
        self.files, self.index = files, index
        try:
            self.entries = read_table(files.open_blob(index.blob))
            header = tensor_bundle_pb2.BundleHeaderProto.FromString(self.entries.pop(_HEADER, b""))
        except (ValueError, DecodeError) as error:
            raise BadModel(f"{index.name} can't be read: {error}") from error
        if header.endianness != tensor_bundle_pb2.BundleHeaderProto.LITTLE:
            raise BadModel(f"{index.name} is of a machine whose numbers begin with the high byte")
        self.shards = header.num_shards

    def __contains__(self, key: str) -> bool:
        return key.encode() in self.entries

    def tensor(self, key: str, dtype: DType, shape: tuple[int, ...]) -> Tensor:
        """A variable, pointed to where it lies, after its checksum was compared.

        Raises:
            BadModel: it isn't there, is damaged, or is of another type than the graph says.
        """
        entry = self._entry(key)
        found = tuple(int(dim.size) for dim in entry.shape.dim)
        stored = dtype_of(entry.dtype, f"the variable {key}")
        if stored is not dtype or found != shape:
            raise BadModel(
                f"{self.index.name} has the variable {key} as {stored.value}{list(found)}, the "
                f"graph as {dtype.value}{list(shape)}"
            )
        if entry.slices:
            raise BadModel(f"the variable {key} is stored in slices: save the model in one piece")
        if entry.size != byte_size(dtype, shape):
            raise BadModel(f"{self.index.name} says that {key} takes {entry.size} bytes")
        file, data = self._located(key, entry)
        if masked(data) != entry.crc32c:
            raise BadModel(f"{file.name}: the variable {key} doesn't fit its checksum")
        return BlobTensor(file.blob, entry.offset, dtype, shape, self.files.open_blob)

    def objects(self) -> bytes:
        """The serialised graph of the objects that were saved; empty when there is none."""
        if _OBJECTS not in self:
            return b""
        entry = self._entry(_OBJECTS)
        file, data = self._located(_OBJECTS, entry)
        length, begin = 0, 0
        for begin, byte in enumerate(bytes(data[:5]), start=1):
            length |= (byte & 0x7F) << 7 * (begin - 1)
            if byte < 0x80:
                break
        text = bytes(data[begin + _CHECKSUM :])
        if len(text) != length:
            raise BadModel(f"{file.name} is cut off: the objects that were saved aren't whole")
        return text

    def _entry(self, key: str) -> tensor_bundle_pb2.BundleEntryProto:
        if key not in self:
            raise BadModel(f"{self.index.name} has no variable {key}, which the graph reads")
        try:
            return tensor_bundle_pb2.BundleEntryProto.FromString(self.entries[key.encode()])
        except DecodeError as error:
            raise BadModel(f"{self.index.name}: its entry {key} can't be read") from error

    def _located(
        self, key: str, entry: tensor_bundle_pb2.BundleEntryProto
    ) -> tuple[SourceFile, memoryview]:
        """The file with a variable in it, and the variable's bytes there."""
        file = self._file(entry.shard_id)
        end = entry.offset + entry.size
        if entry.offset < 0 or entry.size < 0 or end > file.blob.size:
            raise BadModel(f"{file.name} ends before the variable {key} does: it is cut off")
        return file, self.files.open_blob(file.blob)[entry.offset : end]

    def _file(self, shard: int) -> SourceFile:
        wanted = f"{self.index.name.removesuffix('.index')}.data-{shard:05d}-of-{self.shards:05d}"
        for file in self.files.files:
            if PurePosixPath(file.name) == PurePosixPath(wanted):
                return file
        raise BadModel(f"{wanted} wasn't given: give all files of the model's folder")
