"""Gathers constants that are in memory into blobs: many small ones into one, large ones alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ir_hub.ir.tensor import Blob, BlobTensor, Tensor, byte_view

Put = Callable[[memoryview], Blob]  # stores bytes that may change once it has returned

ALIGNMENT = 64  # bytes: what vector units like, and safetensors and .pt2 files have
LARGE_BYTES = 1 << 20  # From here on a tensor is a blob alone, and not copied to get there.
PACK_BYTES = 16 << 20  # A pack is stored before it would grow beyond this: memory is bounded.


@dataclass(frozen=True)
class Place:
    """Where the bytes of a constant are: axis i is axis `permutation[i]` of the bytes."""

    blob: Blob
    offset: int = 0
    permutation: tuple[int, ...] = ()


def place_all(tensors: Iterable[Tensor], put: Put) -> dict[Tensor, Place]:
    """Where each tensor is, once those that aren't in a blob yet have been stored by `put`."""
    packer = _Packer(put)
    for tensor in dict.fromkeys(tensors):
        packer.add(tensor)
    packer.flush()
    return packer.places


class _Packer:
    def __init__(self, put: Put) -> None:
        self.places: dict[Tensor, Place] = {}
        self._put = put
        self._pack = bytearray()
        self._offsets: dict[Tensor, int] = {}

    def add(self, tensor: Tensor) -> None:
        if isinstance(tensor, BlobTensor):
            self.places[tensor] = Place(tensor.blob, tensor.offset, tensor.permutation)
            return
        content = byte_view(tensor.numpy())
        if content.nbytes >= LARGE_BYTES:
            self.places[tensor] = Place(self._put(content))
            return
        if len(self._pack) + content.nbytes + ALIGNMENT > PACK_BYTES:
            self.flush()
        self._pack += bytes(-len(self._pack) % ALIGNMENT)
        self._offsets[tensor] = len(self._pack)
        self._pack += content

    def flush(self) -> None:
        if not self._offsets:
            return
        blob = self._put(memoryview(self._pack))
        self.places.update((t, Place(blob, offset)) for t, offset in self._offsets.items())
        self._pack = bytearray()
        self._offsets = {}
