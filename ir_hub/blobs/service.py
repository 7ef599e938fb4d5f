"""The gRPC service irhub.blob.v1.BlobService over a local store; for the hub and any adapter."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any, BinaryIO, TypeAlias

import grpc

from ir_hub.blobs.chunks import READS, SERVICE, WRITES
from ir_hub.blobs.errors import BlobError, BlobNotFound, BlobServiceError, DigestMismatch, StoreFull
from ir_hub.blobs.store import LocalStore
from ir_hub.blobs.uploads import Limits, Upload, Uploads
from ir_hub.blobs.wire import CHUNK_BYTES, abort, blob_from_proto, blob_to_proto
from ir_hub.ir.tensor import Blob
from irhub.blob.v1 import blob_pb2

_BATCH = 8  # chunks that are read at once
_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Write: TypeAlias = blob_pb2.WriteBlobRequest | memoryview


class BlobService:
    """Serves a store. blob.proto says what each call does and how it fails.

    Files are read, written and hashed off the event loop.
    """

    def __init__(self, store: LocalStore, limits: Limits | None = None) -> None:
        self._store = store
        self._limits = limits or Limits()
        self._uploads = Uploads(store, self._limits)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Makes it one of the server's services."""
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "FindMissingBlobs": grpc.unary_unary_rpc_method_handler(
                self.FindMissingBlobs,
                blob_pb2.FindMissingBlobsRequest.FromString,
                blob_pb2.FindMissingBlobsResponse.SerializeToString,
            ),
            "QueryWrite": grpc.unary_unary_rpc_method_handler(
                self.QueryWrite,
                blob_pb2.QueryWriteRequest.FromString,
                blob_pb2.QueryWriteResponse.SerializeToString,
            ),
            "WriteBlob": grpc.stream_unary_rpc_method_handler(
                self.WriteBlob, WRITES.decode, blob_pb2.WriteBlobResponse.SerializeToString
            ),
            "ReadBlob": grpc.unary_stream_rpc_method_handler(
                self.ReadBlob, blob_pb2.ReadBlobRequest.FromString, READS.encode
            ),
        }
        handler = grpc.method_handlers_generic_handler(SERVICE, handlers)
        server.add_generic_rpc_handlers((handler,))

    def close(self) -> None:
        """Forgets all unfinished uploads; call it when the server has stopped."""
        self._uploads.end_all()

    async def FindMissingBlobs(
        self, request: blob_pb2.FindMissingBlobsRequest, context: _Context
    ) -> blob_pb2.FindMissingBlobsResponse:
        """Tells which blobs aren't here."""
        try:
            if len(request.blobs) > self._limits.blobs_per_request:
                raise BlobServiceError(
                    "TOO_MANY_BLOBS",
                    f"ask about up to {self._limits.blobs_per_request} blobs at once, "
                    f"not {len(request.blobs)}",
                    limit=self._limits.blobs_per_request,
                )
            blobs = [blob_from_proto(message) for message in request.blobs]
            missing = await asyncio.to_thread(self._store.missing, blobs)
        except BlobError as error:
            await abort(context, error)
        return blob_pb2.FindMissingBlobsResponse(missing_blobs=map(blob_to_proto, missing))

    async def QueryWrite(
        self, request: blob_pb2.QueryWriteRequest, context: _Context
    ) -> blob_pb2.QueryWriteResponse:
        """Tells how much of an upload has arrived."""
        try:
            blob = blob_from_proto(request.blob)
            upload = self._uploads.find(request.upload_id, blob)
        except BlobError as error:
            await abort(context, error)
        if await asyncio.to_thread(self._store.has, blob):
            return blob_pb2.QueryWriteResponse(committed_size_bytes=blob.size, complete=True)
        committed = await asyncio.to_thread(lambda: upload.committed if upload else 0)
        return blob_pb2.QueryWriteResponse(committed_size_bytes=committed)

    async def WriteBlob(
        self, request_iterator: AsyncIterator[_Write], context: _Context
    ) -> blob_pb2.WriteBlobResponse:
        """Takes a blob, or the rest of one."""
        try:
            first = await anext(request_iterator, None)
            if first is None or isinstance(first, memoryview):
                raise BlobServiceError("INVALID_UPLOAD", "the stream doesn't name a blob first")
            blob = blob_from_proto(first.blob)
            self._uploads.find(first.upload_id, blob)
            if not await asyncio.to_thread(self._store.missing, [blob]):
                await asyncio.to_thread(self._uploads.end, first.upload_id)
                return blob_pb2.WriteBlobResponse(committed_size_bytes=blob.size, complete=True)
            return await self._receive(blob, first, request_iterator)
        except BlobError as error:
            await abort(context, error)

    async def ReadBlob(
        self, request: blob_pb2.ReadBlobRequest, context: _Context
    ) -> AsyncIterator[memoryview]:
        """Sends a blob or a range of it."""
        try:
            file, start, end = await asyncio.to_thread(self._open_range, request)
        except BlobError as error:
            await abort(context, error)
        with file:
            while start < end:
                count = min(_BATCH * CHUNK_BYTES, end - start)
                # Not from a mapping: a page that isn't in memory would stop the whole process.
                batch = memoryview(await asyncio.to_thread(os.pread, file.fileno(), count, start))
                for place in range(0, len(batch), CHUNK_BYTES):
                    yield batch[place : place + CHUNK_BYTES]
                start += len(batch)

    async def _receive(
        self,
        blob: Blob,
        first: blob_pb2.WriteBlobRequest,
        rest: AsyncIterator[_Write],
    ) -> blob_pb2.WriteBlobResponse:
        upload = await asyncio.to_thread(self._uploads.begin, first.upload_id, blob)
        try:
            size = await self._append(upload, first, rest)
            if size == blob.size:
                await asyncio.to_thread(upload.finish, self._store)
                await asyncio.to_thread(self._uploads.end, first.upload_id)
        except (DigestMismatch, StoreFull):
            await asyncio.to_thread(self._uploads.end, first.upload_id)
            raise
        return blob_pb2.WriteBlobResponse(committed_size_bytes=size, complete=size == blob.size)

    @staticmethod
    async def _append(
        upload: Upload,
        first: blob_pb2.WriteBlobRequest,
        rest: AsyncIterator[_Write],
    ) -> int:
        data: bytes | memoryview = first.data
        size = first.write_offset
        while True:
            # The next message arrives while this one is hashed and written.
            coming = asyncio.ensure_future(anext(rest, None))
            try:
                size = await asyncio.to_thread(upload.write, size, data)
            except BaseException:
                coming.cancel()
                raise
            request = await coming
            if request is None:
                return size
            if not isinstance(request, memoryview):
                raise BlobServiceError(
                    "INVALID_UPLOAD", "after the first, a stream's messages have data and no more"
                )
            data = request

    def _open_range(self, request: blob_pb2.ReadBlobRequest) -> tuple[BinaryIO, int, int]:
        blob = blob_from_proto(request.blob)
        start, limit = request.read_offset, request.read_limit
        if start < 0 or limit < 0:
            raise BlobServiceError(
                "INVALID_RANGE", f"offset {start} and limit {limit} can't be negative"
            )
        if start > blob.size:
            raise BlobServiceError(
                "BEYOND_END", f"offset {start} is beyond the {blob.size} bytes of {blob.digest}"
            )
        end = min(blob.size, start + limit) if limit else blob.size
        try:
            return open(self._store.path(blob), "rb", buffering=0), start, end
        except FileNotFoundError as error:
            raise BlobNotFound([blob.digest], str(self._store.root)) from error
