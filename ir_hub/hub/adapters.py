"""The adapters that the hub knows: where they are, what they can do, whether they answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from ir_hub.blobs import LocalStore
from ir_hub.hub.detect import NoAdapter
from ir_hub.hub.replicas import Replicas
from ir_hub.sdk.client import AdapterClient
from ir_hub.sdk.errors import AdapterError, Problem, Unreachable
from ir_hub.sdk.security import Access
from irhub.adapter.v1 import adapter_pb2
from irhub.hub.v1 import hub_pb2

T = TypeVar("T")

Descriptions = tuple[dict[str, adapter_pb2.DescribeResponse], dict[str, AdapterError]]

_DESCRIBE_SECONDS = 10.0
_FRESH_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
_log = structlog.get_logger()


@dataclass(frozen=True)
class Place:
    """Where an adapter is, and which code it runs, as far as that is known."""

    address: str
    code: str = ""


@dataclass(frozen=True)
class _Seen:
    description: adapter_pb2.DescribeResponse
    at: float


class Adapters:
    """Those of the settings, and those that say in a file of the `run` folder that they run."""

    def __init__(
        self,
        settled: Mapping[str, str],
        run: Path,
        store: LocalStore,
        access: Access,
        patience: float,
    ) -> None:
        """`patience`: seconds to wait for an adapter that doesn't answer, where work needs it."""
        self._patience = patience
        self._settled = settled
        self._run = run
        self._store = store
        self._access = access
        self._replicas: dict[str, Replicas] = {}
        self._seen: dict[Place, _Seen] = {}

    def places(self) -> dict[str, Place]:
        """Where each adapter is, by framework. Looked up anew: adapters come and go."""
        found = {}
        for path in sorted(self._run.glob("*.json")):
            # A file may vanish, or be another program's.
            with suppress(OSError, ValueError, KeyError, TypeError):
                said = json.loads(path.read_text())
                if said["kind"] == "adapter":
                    found[path.stem] = Place(str(said["address"]), str(said["code"]))
        return found | {name: Place(address) for name, address in self._settled.items()}

    def place(self, framework: str) -> Place:
        """Where an adapter is; NoAdapter if there is none."""
        places = self.places()
        if framework not in places:
            known = ", ".join(sorted(places)) or "none"
            raise NoAdapter(
                f"There is no adapter for {framework!r}; there is: {known}. Start it with "
                f"`irhub up {framework}`, or tell the hub its address.",
                [Problem("framework", f"{framework!r} isn't one of: {known}")],
                {"adapters": ",".join(sorted(places))},
            )
        return places[framework]

    async def call(
        self, framework: str, work: Callable[[AdapterClient], Awaitable[T]], key: str = ""
    ) -> T:
        """Has an adapter do some work; see `Replicas.call`. Errors say which adapter it was.

        Raises:
            AdapterError: NoAdapter, or what became of the work.
        """
        address = self.place(framework).address
        if address not in self._replicas:
            self._replicas[address] = Replicas(address, self._store, self._access)
        try:
            return await self._replicas[address].call(work, key)
        except Unreachable as error:
            raise self._unreachable(framework, error) from error
        except AdapterError as error:
            error.metadata.setdefault("adapter", framework)
            raise

    async def describe(self, framework: str, waits: bool = True) -> adapter_pb2.DescribeResponse:
        """What an adapter is and can do; what it said some seconds ago counts. One that doesn't
        answer may be starting, as after an outage: it `waits` for that, or doesn't.

        Raises:
            NoAdapter: there is none.
            Unreachable: it doesn't answer.
        """
        until = time.monotonic() + self._patience * waits
        while True:
            try:
                return await self._described(framework)
            except Unreachable as error:
                if time.monotonic() >= until:
                    raise
                _log.warning("waiting for adapter", framework=framework, why=str(error))
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _described(self, framework: str) -> adapter_pb2.DescribeResponse:
        place = self.place(framework)
        seen = self._seen.get(place)
        if seen is not None and time.monotonic() - seen.at < _FRESH_SECONDS:
            return seen.description
        description = await self.call(framework, lambda client: client.describe(_DESCRIBE_SECONDS))
        self._seen[place] = _Seen(description, time.monotonic())
        return description

    def _unreachable(self, framework: str, error: Exception) -> Unreachable:
        """The error that says which adapter can't be reached, and what to do."""
        address = self.places()[framework].address
        started = framework in self._settled  # by others, who know how
        what = "See that it runs there" if started else f"Start it with `irhub up {framework}`"
        return Unreachable(
            f"The {framework} adapter at {address} doesn't answer ({error}). {what}, or look at "
            "its log.",
            metadata={"adapter": framework, "address": address},
        )

    async def version(self, framework: str, waits: bool = True) -> tuple[str, ...]:
        """An adapter with all that its results depend on: name, framework, adapter, op set.

        Raises:
            AdapterError: as `describe`.
        """
        found = await self.describe(framework, waits)
        code = self.places()[framework].code
        adapter = f"{found.adapter_version}+{code}" if code else found.adapter_version
        return (framework, found.framework_version, adapter, str(found.opset))

    async def descriptions(self) -> Descriptions:
        """What each adapter can do, and why the others don't say so, by framework. One that is
        silent now can do what it said before."""
        names = sorted(self.places())
        answers = await asyncio.gather(*map(self._offered, names), return_exceptions=True)
        found, silent = {}, {}
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, AdapterError):
                silent[name] = answer
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found[name] = answer
        return found, silent

    async def _offered(self, framework: str) -> adapter_pb2.DescribeResponse:
        known = self._seen.get(self.place(framework))
        seconds = _DESCRIBE_SECONDS if known is None else _AGAIN_SECONDS
        try:
            return await asyncio.wait_for(self.describe(framework, waits=False), seconds)
        except TimeoutError as error:
            if known is None:
                late = f"no answer in {seconds:g} s"
                raise self._unreachable(framework, Unreachable(late)) from error
        except AdapterError:
            if known is None:
                raise
        return known.description

    async def statuses(self) -> list[hub_pb2.AdapterStatus]:
        """Every adapter, and whether it answers, in the order of their names."""
        return list(await asyncio.gather(*map(self._status, sorted(self.places()))))

    async def close(self) -> None:
        """Closes all connections."""
        for replicas in self._replicas.values():
            await replicas.close()

    async def _status(self, framework: str) -> hub_pb2.AdapterStatus:
        address = self.places()[framework].address
        status = hub_pb2.AdapterStatus(framework=framework, address=address)
        try:
            status.description.CopyFrom(await self.describe(framework, waits=False))
            status.healthy = True
        except AdapterError as error:
            status.problem = str(error)
        return status
