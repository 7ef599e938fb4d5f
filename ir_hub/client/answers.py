"""What a hub's calls and streams end with, for the clients of both kinds."""

from __future__ import annotations

import grpc
from google.rpc import error_details_pb2

from ir_hub.ir.tensor import Blob
from ir_hub.sdk.errors import AdapterError, Unreachable
from ir_hub.sdk.status import from_rpc, problems_of
from irhub.hub.v1 import hub_pb2

CALL_SECONDS = 60.0
INSPECT_SECONDS = 3600.0
RECONNECTS = 10
PAUSE_SECONDS = 0.5

ENDED = frozenset(
    (
        hub_pb2.Conversion.STATE_SUCCEEDED,
        hub_pb2.Conversion.STATE_FAILED,
        hub_pb2.Conversion.STATE_CANCELLED,
    )
)


def meant(address: str, rpc_error: grpc.RpcError) -> AdapterError:
    """What a call to the hub at an address ended with."""
    error = from_rpc(rpc_error)
    if isinstance(error, Unreachable):
        return Unreachable(
            f"The hub at {address} doesn't answer ({error}). Start it with `irhub up`, or try "
            "again in a moment; one on another machine may want TLS (`irhub config`: hub_ca)."
        )
    return error


def problems_blob(error: AdapterError) -> Blob | None:
    """The blob with all the problems of an error, where its trailers hadn't room for them."""
    digest = error.metadata.get("problems_digest")
    return Blob(digest, int(error.metadata["problems_size_bytes"])) if digest else None


def add_problems(error: AdapterError, content: bytes) -> None:
    """Gives an error the problems of such a blob."""
    error.problems = tuple(problems_of(error_details_pb2.BadRequest.FromString(content)))
