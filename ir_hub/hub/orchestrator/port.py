"""What the hub asks of whatever drives its conversions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from ir_hub.hub.jobs import Page
from ir_hub.sdk.errors import AdapterError
from irhub.hub.v1 import hub_pb2


class NotFound(AdapterError):
    """There is no conversion of that name."""

    reason = "CONVERSION_NOT_FOUND"


class AlreadyExists(AdapterError):
    """The request_id was used for another request."""

    reason = "REQUEST_ID_USED"


class StillRunning(AdapterError):
    """The conversion hasn't ended; cancel it first."""

    reason = "STILL_RUNNING"


class Orchestrator(Protocol):
    """Sees to it that every conversion that was submitted ends once, whatever dies meanwhile."""

    async def find(
        self, spec: hub_pb2.ConversionSpec, request_id: str
    ) -> hub_pb2.Conversion | None:
        """The conversion of an earlier, equal request; AlreadyExists if the request_id was used
        for another one."""

    async def submit(
        self, spec: hub_pb2.ConversionSpec, request_id: str, source: str
    ) -> hub_pb2.Conversion:
        """Takes a conversion on; the earlier one, if there is one. `source` is the framework that
        the files are of: its own spec says so.

        Raises:
            AlreadyExists: as in `find`.
            Busy: too many are waiting.
            Unreachable: it is draining.
            BlobsMissing: a file isn't in the store.
        """

    async def get(self, name: str) -> hub_pb2.Conversion:
        """A conversion as it is now; NotFound if there is none."""

    def watch(self, name: str) -> AsyncIterator[hub_pb2.Conversion]:
        """A conversion as it is now, then after changes, until it has ended; NotFound if there is
        none."""

    async def cancel(self, name: str) -> hub_pb2.Conversion:
        """Stops a conversion, and returns it ended; NotFound if there is none."""

    async def delete(self, name: str) -> None:
        """Forgets a conversion; NotFound if there is none, StillRunning if it hasn't ended."""

    async def list(self, size: int, token: str) -> Page:
        """A page of conversions, newest first; BadRequest for a token that isn't one."""

    async def drain(self, seconds: float) -> None:
        """Takes no more on, and gives what runs so long to end. What doesn't end goes on when
        something drives this database again."""
