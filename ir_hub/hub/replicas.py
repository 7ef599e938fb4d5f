"""The processes that serve one adapter: found by its address, used in turn, left when they fail."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TypeVar

import structlog

from ir_hub.blobs import LocalStore
from ir_hub.sdk import telemetry
from ir_hub.sdk.client import AdapterClient, connect
from ir_hub.sdk.errors import AdapterError, Busy, TimedOut, Unreachable, UntrustedCode
from ir_hub.sdk.security import Access

T = TypeVar("T")

_PATIENCE_SECONDS = 600.0
_ANSWER_SECONDS = 10.0
_FRESH_SECONDS = 5.0
_LOOKUP_SECONDS = 1.0
_REST_SECONDS = 1.0
_MOST_LOST = 2
_REMEMBERED = 1000
# Their own: a name server that is silent holds these threads, and no others.
_LOOKUPS = ThreadPoolExecutor(8, "lookup")
_log = structlog.get_logger()


@dataclass(frozen=True)
class Endpoint:
    """Where one process is; `name` is what its certificate says, where the address is a number."""

    address: str
    name: str = ""


class Replicas:
    """Those at `given`: host:port, or several, separated by |. Every address that a name stands
    for is a replica.

    A caller with a `key` stays with its replica as long as that one isn't busy: what it sent
    there once needn't be sent again. Other callers take the one with the least to do.
    """

    def __init__(self, given: str, store: LocalStore, access: Access) -> None:
        self._given = given
        self._store = store
        self._access = access
        self._found: dict[Endpoint, _Replica] = {}
        self._found_at = -_FRESH_SECONDS
        self._lookup: asyncio.Task[list[Endpoint]] | None = None
        self._turns = count()
        self._last: dict[str, _Replica] = {}

    async def call(self, work: Callable[[AdapterClient], Awaitable[T]], key: str = "") -> T:
        """Has a replica do some work that may be done twice.

        A busy one is asked again when it said, unless another one is free. Where one isn't there,
        or doesn't trust code that it didn't write itself, another one is asked. When one dies at
        the work it is tried once more elsewhere: the work may be what it died of.

        Raises:
            AdapterError: the answer; Unreachable, when no replica is left.
        """
        until = time.monotonic() + _PATIENCE_SECONDS
        failed: dict[_Replica, AdapterError] = {}
        lost = 0
        while True:
            replica = await self._next(key, failed)
            was_there = False
            try:
                async with replica.client() as client:
                    was_there = True
                    with telemetry.span("call", kind="client", address=replica.endpoint.address):
                        return await work(client)
            except Busy as error:
                if time.monotonic() > until:
                    raise
                replica.rest(error.retry_seconds)
            except UntrustedCode as error:
                failed[replica] = error
            except Unreachable as error:
                lost += was_there
                if lost == _MOST_LOST:
                    raise
                failed[replica] = error
                _log.warning("replica lost", address=replica.endpoint.address, why=str(error))
                replica.rest(_REST_SECONDS)
                await replica.leave()

    async def close(self) -> None:
        """Closes all connections."""
        if self._lookup is not None:
            self._lookup.cancel()
        for replica in self._found.values():
            await replica.leave()

    async def _next(self, key: str, failed: Mapping[_Replica, AdapterError]) -> _Replica:
        """The replica to ask; waits while all of them rest."""
        left = [replica for replica in await self._there() if replica not in failed]
        if not left:
            raise min(failed.values(), key=lambda error: isinstance(error, Unreachable))
        mine = self._last.get(key)
        chosen = min(left, key=lambda r: (r.rests(), r is not mine, r.calls, r.turn))
        chosen.turn = next(self._turns)
        if key:
            self._last.pop(key, None)
            self._last[key] = chosen
            if len(self._last) > _REMEMBERED:
                del self._last[next(iter(self._last))]
        await asyncio.sleep(chosen.rests())
        return chosen

    async def _there(self) -> list[_Replica]:
        """The replicas that there are now; Unreachable if the names stand for nothing."""
        if time.monotonic() - self._found_at > _FRESH_SECONDS:
            endpoints = await self._endpoints()
            gone = [self._found[each] for each in self._found.keys() - set(endpoints)]
            self._found = {
                each: self._found.get(each) or _Replica(each, self._store, self._access)
                for each in endpoints
            }
            self._found_at = time.monotonic()
            for replica in gone:  # their calls go on: a name forgets a process that drains
                await replica.leave()
        return list(self._found.values())

    async def _endpoints(self) -> Sequence[Endpoint]:
        """What the names stand for; while nobody tells, those that we know, which may be there all
        the same."""
        lookup = self._lookup = self._lookup or asyncio.create_task(resolve(self._given))
        await asyncio.wait({lookup}, timeout=_LOOKUP_SECONDS if self._found else None)
        if not lookup.done():
            return list(self._found)
        self._lookup = None
        try:
            return lookup.result()
        except Unreachable:
            if not self._found:
                raise
            return list(self._found)


class _Replica:
    """One process: the connection to it, if there is one, and when it may be asked again."""

    def __init__(self, endpoint: Endpoint, store: LocalStore, access: Access) -> None:
        self.endpoint = endpoint
        self.calls = 0
        self.turn = -1
        self._store = store
        self._access = access
        self._link: _Link | None = None
        self._heard_at = 0.0
        self._rests_until = 0.0
        self._asking = asyncio.Lock()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AdapterClient]:
        """A client of it, which has answered just now.

        Raises:
            Unreachable: it doesn't answer.
        """
        self.calls += 1
        try:
            link = await self._answering()
            async with link.used() as client:
                yield client
            self._heard_at = time.monotonic()
        finally:
            self.calls -= 1

    def rest(self, seconds: float) -> None:
        """It isn't to be asked for so long, if there is another one."""
        self._rests_until = time.monotonic() + seconds

    def rests(self) -> float:
        """For how many seconds it still isn't to be asked."""
        return max(0.0, self._rests_until - time.monotonic())

    async def leave(self) -> None:
        """Makes no more calls by this connection: the next may be to another process."""
        link, self._link = self._link, None
        if link is not None:
            await link.end()

    async def _answering(self) -> _Link:
        async with self._asking:
            try:
                if self._link is None:
                    self._link = _Link(await self._connected())
                elif time.monotonic() - self._heard_at > _FRESH_SECONDS:
                    async with self._link.used() as client:
                        await client.describe(_ANSWER_SECONDS)
            except TimedOut as error:
                raise Unreachable(str(error)) from error
            self._heard_at = time.monotonic()
            return self._link

    async def _connected(self) -> AdapterClient:
        at = self.endpoint
        try:
            return await connect(at.address, self._store, self._access, at.name, _ANSWER_SECONDS)
        except OSError as error:
            raise Unreachable(f"the hub's certificate can't be read: {error}") from error


class _Link:
    """A connection that is closed when it has ended and its last call has, too."""

    def __init__(self, client: AdapterClient) -> None:
        self._client = client
        self._calls = 0
        self._ended = False

    @asynccontextmanager
    async def used(self) -> AsyncIterator[AdapterClient]:
        """The client, for a call."""
        self._calls += 1
        try:
            yield self._client
        finally:
            self._calls -= 1
            await self._close()

    async def end(self) -> None:
        """No call follows."""
        self._ended = True
        await self._close()

    async def _close(self) -> None:
        if self._ended and not self._calls:
            await self._client.close()


async def resolve(given: str) -> list[Endpoint]:
    """What an adapter's address stands for; Unreachable for a name that isn't known."""
    found: list[Endpoint] = []
    for part in given.split("|"):
        found += await _resolved(part.strip())
    return list(dict.fromkeys(found))


async def _resolved(address: str) -> list[Endpoint]:
    host, _, port = address.rpartition(":")
    if address.startswith("unix:") or _is_number(host.strip("[]")):
        return [Endpoint(address)]
    loop = asyncio.get_running_loop()
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = await loop.run_in_executor(_LOOKUPS, look_up)
    except OSError as error:
        raise Unreachable(f"{host!r} stands for no address: {error.strerror}") from error
    # The addresses of one family: the others are most often the same processes again.
    numbers = [
        str(socket_address[0]) for family, *_, socket_address in found if family == found[0][0]
    ]
    return [Endpoint(f"[{n}]:{port}" if ":" in n else f"{n}:{port}", host) for n in numbers]


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
