"""Drives conversions inside the hub's own process; what a crash interrupts goes on at restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from ir_hub.blobs import Lease, LocalStore
from ir_hub.blobs.wire import blob_from_proto
from ir_hub.hub.jobs import BadPageToken, Jobs, NoSuchConversion, Page, RequestIdUsed, is_ended, now
from ir_hub.hub.orchestrator.port import AlreadyExists, NotFound, StillRunning
from ir_hub.ir.tensor import Blob
from ir_hub.sdk import telemetry
from ir_hub.sdk.errors import AdapterError, BadRequest, Busy, Problem, Unreachable
from ir_hub.sdk.status import answer
from irhub.hub.v1 import hub_pb2

# Carries a conversion through its stages, and ends it one way or the other. It changes the message
# in place, calls the function after every change, and holds what it makes by the lease.
Convert = Callable[[hub_pb2.Conversion, Lease, Callable[[], None]], Awaitable[None]]

MOST_STARTS = 3
_LEASE_SECONDS = 7 * 24 * 3600.0  # the hub's own death ends a lease at once
_RETRY_SECONDS = "5"
_log = structlog.get_logger()


class GivenUp(AdapterError):
    """Hubs died during the conversion, again and again."""

    reason = "INTERRUPTED"


@dataclass(eq=False)
class _Live:
    """A conversion that hasn't ended; `changed` is set, and replaced, at every change."""

    conversion: hub_pb2.Conversion
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def copy(self) -> hub_pb2.Conversion:
        copied = hub_pb2.Conversion()
        copied.CopyFrom(self.conversion)
        return copied


class Inline:
    """An Orchestrator; see the port. At most `running` conversions at a time, `waiting` more."""

    def __init__(
        self,
        jobs: Jobs,
        store: LocalStore,
        convert: Convert,
        running: int,
        waiting: int,
        observe: Callable[[hub_pb2.Conversion], None],
    ) -> None:
        """`observe` is told of every conversion that has ended."""
        self._jobs = jobs
        self._store = store
        self._convert = convert
        self._observe = observe
        self._turns = asyncio.Semaphore(running)
        self._most = running + waiting
        self._live: dict[str, _Live] = {}
        self._draining = False

    def live(self) -> tuple[int, int]:
        """How many conversions run, and how many wait."""
        states = [live.conversion.state for live in tuple(self._live.values())]
        running = states.count(hub_pb2.Conversion.STATE_RUNNING)
        return running, len(states) - running

    def resume(self) -> None:
        """Goes on with what an earlier hub hadn't ended."""
        for conversion in self._jobs.unended():
            _log.info("resumed", conversion=conversion.name)
            # What it had come to is computed again, from what is remembered of it.
            self._begin(
                hub_pb2.Conversion(
                    name=conversion.name,
                    spec=conversion.spec,
                    state=hub_pb2.Conversion.STATE_QUEUED,
                    create_time=conversion.create_time,
                )
            )

    async def find(
        self, spec: hub_pb2.ConversionSpec, request_id: str
    ) -> hub_pb2.Conversion | None:
        """The conversion of an earlier, equal request."""
        try:
            found = self._jobs.find(spec, request_id)
        except RequestIdUsed as error:
            raise AlreadyExists(str(error)) from error
        return None if found is None else await self.get(found.name)

    async def submit(
        self, spec: hub_pb2.ConversionSpec, request_id: str, source: str
    ) -> hub_pb2.Conversion:
        """Takes a conversion on."""
        if self._draining:
            raise Unreachable("The hub is stopping; try again in a moment.")
        # Held from here on: nobody may evict a source between the look and its turn.
        lease = await asyncio.to_thread(self._store.lease, "submit", _given(spec), _LEASE_SECONDS)
        with lease:
            # Nothing from here to the record waits: of two equal requests one is the first.
            earlier = await self.find(spec, request_id)
            if earlier is not None:
                return earlier
            self._admit()
            conversion = self._jobs.create(spec, request_id, source)
            self._begin(conversion)
            return await self.get(conversion.name)

    async def get(self, name: str) -> hub_pb2.Conversion:
        """A conversion as it is now."""
        live = self._live.get(name)
        if live is not None:
            return live.copy()
        try:
            return self._jobs.get(name)
        except NoSuchConversion as error:
            raise NotFound(str(error)) from error

    async def watch(self, name: str) -> AsyncIterator[hub_pb2.Conversion]:
        """A conversion as it is now, then after changes."""
        while (live := self._live.get(name)) is not None:
            changed = live.changed
            yield live.copy()
            await changed.wait()
        yield await self.get(name)

    async def cancel(self, name: str) -> hub_pb2.Conversion:
        """Stops a conversion."""
        await asyncio.sleep(0)  # a task that is cancelled before its first step can't clean up
        live = self._live.get(name)
        if live is not None and live.task is not None:
            live.task.cancel()
            await asyncio.wait([live.task])
        return await self.get(name)

    async def delete(self, name: str) -> None:
        """Forgets a conversion that has ended."""
        if name in self._live:
            raise StillRunning(f"{name} hasn't ended: cancel it first")
        try:
            self._jobs.delete(name)
        except NoSuchConversion as error:
            raise NotFound(str(error)) from error

    async def list(self, size: int, token: str) -> Page:
        """A page of conversions."""
        try:
            page = self._jobs.page(size, token)
        except BadPageToken as error:
            raise BadRequest(str(error), [Problem("page_token", str(error))]) from error
        newest = [await self.get(conversion.name) for conversion in page.conversions]
        return Page(newest, page.next_token)

    async def drain(self, seconds: float) -> None:
        """Takes no more on, waits, and stops what is left for the next start."""
        self._draining = True
        await asyncio.sleep(0)  # as in `cancel`
        tasks = [live.task for live in self._live.values() if live.task is not None]
        if not tasks:
            return
        _, left = await asyncio.wait(tasks, timeout=seconds)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    def _admit(self) -> None:
        if len(self._live) >= self._most:
            raise Busy(
                f"{len(self._live)} conversions are running or waiting, as many as this hub "
                f"takes; try again in {_RETRY_SECONDS} s",
                metadata={"retry_seconds": _RETRY_SECONDS},
            )

    def _begin(self, conversion: hub_pb2.Conversion) -> None:
        live = _Live(conversion)
        self._live[conversion.name] = live
        live.task = asyncio.create_task(self._drive(live), name=conversion.name)

    async def _drive(self, live: _Live) -> None:
        """Carries a conversion to its end; only a drain leaves it without one."""
        conversion = live.conversion
        with structlog.contextvars.bound_contextvars(conversion=conversion.name):
            try:
                await self._carried(live)
            except asyncio.CancelledError:
                if self._draining:
                    self._jobs.put_back(conversion.name)
                else:
                    conversion.state = hub_pb2.Conversion.STATE_CANCELLED
                    del conversion.files[:]
            except Exception as error:
                _fail(conversion, error)
            if is_ended(conversion):
                if not conversion.HasField("end_time"):
                    conversion.end_time.CopyFrom(now())
                _log.info("ended", state=hub_pb2.Conversion.State.Name(conversion.state))
                self._observe(conversion)
            self._jobs.save(conversion)
            del self._live[conversion.name]
            live.changed.set()

    async def _carried(self, live: _Live) -> None:
        conversion = live.conversion
        name, given = conversion.name.replace("/", "-"), _given(conversion.spec)
        with await asyncio.to_thread(self._store.lease, name, given, _LEASE_SECONDS) as lease:
            async with self._turns:
                starts = self._jobs.begin(conversion.name)
                if starts > MOST_STARTS:
                    raise GivenUp(
                        f"{MOST_STARTS} hubs have died during this conversion, which may be why: "
                        "it isn't begun again. Look at the hub's log."
                    )
                conversion.state = hub_pb2.Conversion.STATE_RUNNING
                self._changed(live)
                with telemetry.span("conversion", conversion=conversion.name):
                    await self._convert(conversion, lease, lambda: self._changed(live))

    def _changed(self, live: _Live) -> None:
        self._jobs.save(live.conversion)
        live.changed.set()
        live.changed = asyncio.Event()


def _given(spec: hub_pb2.ConversionSpec) -> list[Blob]:
    """The blobs that a conversion begins with."""
    files = [blob_from_proto(file.blob) for file in spec.files]
    return [*files, *(blob_from_proto(value.data.blob) for value in spec.check_inputs)]


def _fail(conversion: hub_pb2.Conversion, error: Exception) -> None:
    """Ends a conversion that failed outside of its stages."""
    meant = answer(error)
    _log.error("conversion failed", exc_info=error)
    conversion.state = hub_pb2.Conversion.STATE_FAILED
    del conversion.files[:]
    conversion.failure.reason = meant.reason
    conversion.failure.message = str(meant)
    conversion.failure.metadata.update(meant.metadata)
