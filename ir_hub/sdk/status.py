"""Errors as google.rpc.Status, there and back: between processes, and on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

import grpc
from google.protobuf import duration_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from ir_hub.blobs.digest import InvalidDigest
from ir_hub.blobs.errors import BlobNotFound, BlobServiceError, StoreFull
from ir_hub.ir.errors import BadIR, VersionSkew
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.errors import (
    AdapterError,
    BadGraph,
    BadModel,
    BadRequest,
    BlobsMissing,
    Busy,
    Cancelled,
    Internal,
    NoRoom,
    OpsetSkew,
    Problem,
    RunFailed,
    TimedOut,
    Unauthenticated,
    Unreachable,
    UnsupportedNodes,
    UntrustedCode,
    WorkerCrashed,
)

DOMAIN = "irhub"

_CODES: dict[type[AdapterError], grpc.StatusCode] = {
    BadGraph: grpc.StatusCode.INVALID_ARGUMENT,
    BadModel: grpc.StatusCode.INVALID_ARGUMENT,
    BadRequest: grpc.StatusCode.INVALID_ARGUMENT,
    BlobsMissing: grpc.StatusCode.NOT_FOUND,
    Busy: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Cancelled: grpc.StatusCode.CANCELLED,
    Internal: grpc.StatusCode.INTERNAL,
    NoRoom: grpc.StatusCode.RESOURCE_EXHAUSTED,
    OpsetSkew: grpc.StatusCode.FAILED_PRECONDITION,
    RunFailed: grpc.StatusCode.FAILED_PRECONDITION,
    TimedOut: grpc.StatusCode.DEADLINE_EXCEEDED,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Unreachable: grpc.StatusCode.UNAVAILABLE,
    UnsupportedNodes: grpc.StatusCode.UNIMPLEMENTED,
    UntrustedCode: grpc.StatusCode.PERMISSION_DENIED,
    WorkerCrashed: grpc.StatusCode.INTERNAL,
}
_KINDS = {kind.reason: kind for kind in _CODES}
_CODE_OF_REASON = {kind.reason: code for kind, code in _CODES.items()}
# What gRPC itself, or something in between, ends a call with.
_KIND_OF_CODE = {
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.DEADLINE_EXCEEDED: TimedOut,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Busy,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.UNAVAILABLE: Unreachable,
}
# Clients take trailers of 8 KiB; there a status is a third longer, and its message once more.
_STATUS_BYTES = 4096
_MESSAGE_BYTES = 1500
_DIGESTS = 20


def answer(error: BaseException) -> AdapterError:
    """An exception as the answer that a caller gets for it; what isn't meant as one is INTERNAL."""
    match error:
        case AdapterError():
            return error
        case VersionSkew():
            return OpsetSkew(str(error))
        case BadIR():
            return BadGraph(str(error))
        case BlobNotFound():
            listed = ",".join(error.digests[:_DIGESTS])
            return BlobsMissing(
                str(error), metadata={"digests": listed, "count": str(len(error.digests))}
            )
        case StoreFull():
            sizes = {"needed_bytes": str(error.needed_bytes), "free_bytes": str(error.free_bytes)}
            return NoRoom(str(error), metadata=sizes)
        case BlobServiceError(reason="UNAVAILABLE"):
            return Unreachable(str(error))
        case BlobServiceError(reason="UNAUTHENTICATED"):
            return Unauthenticated(str(error))
        case InvalidDigest() | BlobServiceError(reason="INVALID_BLOB"):
            return BadRequest(str(error))
        case _:
            kind = type(error).__name__
            return Internal(f"{kind}: {error}", metadata={"type": kind})


def to_status(error: BaseException) -> status_pb2.Status:
    """An error as a status: ErrorInfo, then BadRequest for its problems and RetryInfo if Busy."""
    meant = answer(error)
    code = _CODE_OF_REASON.get(meant.reason, grpc.StatusCode.INTERNAL)
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=meant.reason, domain=DOMAIN, metadata=meant.metadata)
    ]
    if meant.problems:
        details.append(bad_request(meant.problems))
    if isinstance(meant, Busy):
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(meant.retry_seconds * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=code.value[0], message=str(meant))
    for detail in details:
        status.details.add().Pack(detail)
    return status


def from_status(status: status_pb2.Status) -> AdapterError:
    """The error that a status stands for."""
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    for detail in status.details:
        # Unpack does nothing, and says so, when the detail is another message.
        if not detail.Unpack(info):
            detail.Unpack(request)
    if info.domain != DOMAIN:
        code = next((c for c in grpc.StatusCode if c.value[0] == status.code), None)
        return _from_code(code or grpc.StatusCode.UNKNOWN, status.message)
    kind = _KINDS.get(info.reason, AdapterError)
    error = _made(kind, status.message, problems_of(request), dict(info.metadata))
    if kind is AdapterError:
        error.reason = info.reason  # of a service newer than we are
    return error


def from_rpc(error: grpc.RpcError) -> AdapterError:
    """The error that a call ended with."""
    if not isinstance(error, grpc.Call | grpc.aio.AioRpcError):
        return Internal(str(error), metadata={"type": type(error).__name__})
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            with suppress(DecodeError):
                return from_status(status_pb2.Status.FromString(value))
    return _from_code(error.code(), error.details() or "")


def bad_request(problems: Iterable[Problem]) -> error_details_pb2.BadRequest:
    """Problems as field violations."""
    violation = error_details_pb2.BadRequest.FieldViolation
    violations = [violation(field=p.subject, description=p.description) for p in problems]
    return error_details_pb2.BadRequest(field_violations=violations)


def problems_of(request: error_details_pb2.BadRequest) -> list[Problem]:
    """Field violations as problems."""
    return [Problem(v.field, v.description) for v in request.field_violations]


def fitted(error: AdapterError, put: Callable[[bytes], Blob]) -> AdapterError:
    """The error in a size that every client takes in a call's trailers.

    When its problems are too many, it has the first ones; all are in a blob, a serialised
    google.rpc.BadRequest, that metadata names: `problems_digest`, `problems_size_bytes`.
    """
    short = _made(type(error), _cut(str(error)), error.problems, error.metadata)
    short.reason = error.reason
    if to_status(short).ByteSize() <= _STATUS_BYTES:
        return short
    blob = put(bad_request(error.problems).SerializeToString())
    short.metadata |= {
        "problem_count": str(len(error.problems)),
        "problems_digest": blob.digest,
        "problems_size_bytes": str(blob.size),
    }
    while short.problems and to_status(short).ByteSize() > _STATUS_BYTES:
        short.problems = short.problems[: len(short.problems) // 2]
    return short


def _cut(message: str) -> str:
    """The message, as far as there is room for it."""
    room = _MESSAGE_BYTES
    for place, character in enumerate(message):
        # gRPC writes three characters for each byte that isn't ASCII.
        room -= 1 if character.isascii() else 3 * len(character.encode())
        if room < 0:
            return message[:place] + " ..."
    return message


def _made(
    kind: type[AdapterError],
    message: str,
    problems: Sequence[Problem],
    metadata: Mapping[str, str],
) -> AdapterError:
    # Not by the kind's own constructor, which may word the message itself.
    error = kind.__new__(kind)
    AdapterError.__init__(error, message, problems, metadata)
    return error


def _from_code(code: grpc.StatusCode, message: str) -> AdapterError:
    kind = _KIND_OF_CODE.get(code, Internal)
    return _made(kind, f"{code.name}: {message}", (), {"code": code.name})
