"""The adapters that the hub knows: where they are, what they can do, whether they answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ir_hub.blobs import LocalStore
from ir_hub.hub.detect import NoAdapter
from ir_hub.sdk.client import AdapterClient
from ir_hub.sdk.errors import AdapterError, Problem, Unreachable
from irhub.adapter.v1 import adapter_pb2
from irhub.hub.v1 import hub_pb2

_DESCRIBE_SECONDS = 10.0
_FRESH_SECONDS = 5.0


@dataclass(frozen=True)
class Place:
    """Where an adapter is, whether its store is the hub's own folder, and which code it runs, as
    far as that is known."""

    address: str
    shares_store: bool = False
    code: str = ""


@dataclass(frozen=True)
class _Seen:
    description: adapter_pb2.DescribeResponse
    at: float


class Adapters:
    """Those of the settings, and those that say in a file of the `run` folder that they run."""

    def __init__(self, settled: Mapping[str, str], run: Path, store: LocalStore) -> None:
        self._settled = settled
        self._run = run
        self._store = store
        self._clients: dict[Place, AdapterClient] = {}
        self._seen: dict[Place, _Seen] = {}

    def places(self) -> dict[str, Place]:
        """Where each adapter is, by framework. Looked up anew: adapters come and go."""
        found = {}
        for path in sorted(self._run.glob("*.json")):
            # A file may vanish, or be another program's.
            with suppress(OSError, ValueError, KeyError, TypeError):
                said = json.loads(path.read_text())
                if said["kind"] == "adapter":
                    shares = Path(said["store"]) == self._store.root
                    found[path.stem] = Place(str(said["address"]), shares, str(said["code"]))
        return found | {name: Place(address) for name, address in self._settled.items()}

    def client(self, framework: str) -> AdapterClient:
        """A client of an adapter; NoAdapter if there is none."""
        places = self.places()
        if framework not in places:
            known = ", ".join(sorted(places)) or "none"
            raise NoAdapter(
                f"There is no adapter for {framework!r}; there is: {known}. Start it with "
                f"`irhub up {framework}`, or tell the hub its address.",
                [Problem("framework", f"{framework!r} isn't one of: {known}")],
                {"adapters": ",".join(sorted(places))},
            )
        place = places[framework]
        if place not in self._clients:
            self._clients[place] = AdapterClient(
                place.address, self._store, shares_store=place.shares_store
            )
        return self._clients[place]

    async def describe(self, framework: str) -> adapter_pb2.DescribeResponse:
        """What an adapter can do, as it said within the last seconds.

        Raises:
            NoAdapter: there is none.
            Unreachable: it doesn't answer.
        """
        client = self.client(framework)
        place = self.places()[framework]
        seen = self._seen.get(place)
        if seen is not None and time.monotonic() - seen.at < _FRESH_SECONDS:
            return seen.description
        try:
            description = await client.describe(_DESCRIBE_SECONDS)
        except AdapterError as error:
            self._seen.pop(place, None)
            raise self.unreachable(framework, error) from error
        self._seen[place] = _Seen(description, time.monotonic())
        return description

    def unreachable(self, framework: str, error: Exception) -> Unreachable:
        """The error that says which adapter can't be reached, and what to do."""
        address = self.places()[framework].address
        return Unreachable(
            f"The {framework} adapter at {address} doesn't answer ({error}). Start it with "
            f"`irhub up {framework}`, or look at its log.",
            metadata={"adapter": framework, "address": address},
        )

    async def version(self, framework: str) -> tuple[str, ...]:
        """An adapter with all that its results depend on: name, framework, adapter, op set.

        Raises:
            AdapterError: as `describe`.
        """
        found = await self.describe(framework)
        code = self.places()[framework].code
        adapter = f"{found.adapter_version}+{code}" if code else found.adapter_version
        return (framework, found.framework_version, adapter, str(found.opset))

    async def descriptions(self) -> dict[str, adapter_pb2.DescribeResponse]:
        """What those adapters can do that answer, by framework."""
        statuses = await self.statuses()
        return {s.framework: s.description for s in statuses if s.healthy}

    async def statuses(self) -> list[hub_pb2.AdapterStatus]:
        """Every adapter, and whether it answers, in the order of their names."""
        return list(await asyncio.gather(*map(self._status, sorted(self.places()))))

    async def close(self) -> None:
        """Closes all connections."""
        for client in self._clients.values():
            await client.close()

    async def _status(self, framework: str) -> hub_pb2.AdapterStatus:
        address = self.places()[framework].address
        status = hub_pb2.AdapterStatus(framework=framework, address=address)
        try:
            status.description.CopyFrom(await self.describe(framework))
            status.healthy = True
        except AdapterError as error:
            status.problem = str(error)
        return status
