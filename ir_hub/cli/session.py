"""A hub to talk to: the one on this machine, started if need be, or the one that was named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from ir_hub.blobs import LocalStore
from ir_hub.cli.local import HUB, LocalServices
from ir_hub.client import HubClient
from ir_hub.hub.plan import IR
from ir_hub.hub.settings import Settings, load

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)


def is_elsewhere() -> bool:
    """Whether the hub was named: what it knows, only it knows."""
    return bool(settings().hub)


def settings() -> Settings:
    """The settings that hold; BadSettings if they are wrong."""
    return load()


@contextmanager
def hub(adapters: Sequence[str], quiet: bool = False) -> Iterator[HubClient]:
    """A client of the hub, which has these adapters."""
    now = settings()
    store = LocalStore(now.store, now.store_bytes)
    if now.hub:
        with HubClient(now.hub, store, now.hub_access()) as client:
            yield client
        return
    wanted = sorted(set(adapters) - {IR})
    services = LocalServices(now)
    if quiet or not ERR.is_terminal:
        address = services.ensure(wanted).address
    else:
        with ERR.status("looking for the services") as status:
            said = LocalServices(now, lambda line: status.update(line))
            address = said.ensure(wanted).address
    with HubClient(address, store, now.hub_access()) as client:
        yield client


@contextmanager
def running_hub() -> Iterator[HubClient | None]:
    """A client of the hub if one runs; nothing is started."""
    now = settings()
    here = LocalServices(now).running().get(HUB)
    address = now.hub or (here.address if here else "")
    if not address:
        yield None
        return
    store = LocalStore(now.store, now.store_bytes)
    with HubClient(address, store, now.hub_access()) as client:
        yield client
