"""Blobs and errors as they travel: protobuf messages and google.rpc.Status, there and back."""

from __future__ import annotations

from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from ir_hub.blobs.digest import InvalidDigest, check_digest
from ir_hub.blobs.errors import (
    BlobError,
    BlobNotFound,
    BlobServiceError,
    DigestMismatch,
    StoreFull,
)
from ir_hub.ir.tensor import Blob
from irhub.blob.v1 import blob_pb2

# Well below 4 MiB, the size of a message that every gRPC client accepts without being told.
CHUNK_BYTES = 1 << 20

_DOMAIN = "irhub"
# Trailers are limited to 8 KiB, and a digest appears in them three times.
_LISTED = 20
_CODES = {
    "BEYOND_END": grpc.StatusCode.OUT_OF_RANGE,
    "BLOB_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "BLOB_TOO_LARGE": grpc.StatusCode.INVALID_ARGUMENT,
    "DIGEST_MISMATCH": grpc.StatusCode.INVALID_ARGUMENT,
    "INVALID_BLOB": grpc.StatusCode.INVALID_ARGUMENT,
    "INVALID_RANGE": grpc.StatusCode.INVALID_ARGUMENT,
    "INVALID_UPLOAD": grpc.StatusCode.INVALID_ARGUMENT,
    "STORE_FULL": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "TOO_MANY_BLOBS": grpc.StatusCode.INVALID_ARGUMENT,
    "TOO_MANY_UPLOADS": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "UPLOAD_OFFSET": grpc.StatusCode.ABORTED,
}


def blob_to_proto(blob: Blob) -> blob_pb2.Blob:
    """The message of a blob."""
    return blob_pb2.Blob(digest=blob.digest, size_bytes=blob.size)


def blob_from_proto(message: blob_pb2.Blob) -> Blob:
    """The blob of a message; BlobServiceError INVALID_BLOB if it can't name one."""
    try:
        check_digest(message.digest)
    except InvalidDigest as error:
        raise BlobServiceError("INVALID_BLOB", str(error)) from error
    if message.size_bytes < 0:
        raise BlobServiceError(
            "INVALID_BLOB", f"blob {message.digest} can't have {message.size_bytes} bytes"
        )
    return Blob(message.digest, message.size_bytes)


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: BlobError) -> NoReturn:
    """Ends a call with the status, reason and details of an error."""
    status = _status(error)
    await context.abort(status.code, status.details, status.trailing_metadata)
    raise AssertionError("abort raises")


def error_of(error: grpc.RpcError, where: str) -> BlobError:
    """The error that a blob service at `where` meant."""
    if not isinstance(error, grpc.Call):
        return BlobServiceError("UNKNOWN", f"the blob service at {where}: {error}")
    info = _info(error)
    code = error.code().name
    if info is None:
        return BlobServiceError(code, f"the blob service at {where}: {code}: {error.details()}")
    details = dict(info.metadata)
    if info.reason == "BLOB_NOT_FOUND" and "digests" in details:
        return BlobNotFound(details["digests"].split(","), where)
    if info.reason == "STORE_FULL" and details.keys() >= {"needed_bytes", "free_bytes", "cause"}:
        needed, free = int(details["needed_bytes"]), int(details["free_bytes"])
        return StoreFull(f"at {where}", needed, free, details["cause"])
    message = f"the blob service at {where}: {error.details()}"
    return BlobServiceError(info.reason, message, **details)


def _status(error: BlobError) -> grpc.Status:
    reason, metadata = _reason(error)
    info = error_details_pb2.ErrorInfo(reason=reason, domain=_DOMAIN, metadata=metadata)
    detail = any_pb2.Any()
    detail.Pack(info)
    code = _CODES[reason].value[0]
    return rpc_status.to_status(status_pb2.Status(code=code, message=str(error), details=[detail]))


def _reason(error: BlobError) -> tuple[str, dict[str, str]]:
    match error:
        case BlobNotFound():
            listed = ",".join(error.digests[:_LISTED])
            return "BLOB_NOT_FOUND", {"digests": listed, "count": str(len(error.digests))}
        case DigestMismatch():
            return "DIGEST_MISMATCH", {"digest": error.found.digest, "size": str(error.found.size)}
        case StoreFull():
            return "STORE_FULL", {
                "needed_bytes": str(error.needed_bytes),
                "free_bytes": str(error.free_bytes),
                "cause": error.cause,
            }
        case BlobServiceError():
            return error.reason, error.metadata
    raise TypeError(f"{type(error).__name__} has no reason on the wire; add it here")


def _info(error: grpc.Call) -> error_details_pb2.ErrorInfo | None:
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == _DOMAIN:
            return info
    return None
