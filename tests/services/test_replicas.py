"""Several processes of one adapter: used in turn, and what happens when one is busy or dies."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ir_hub.blobs import LocalStore
from ir_hub.hub import adapters, replicas
from ir_hub.hub.replicas import Endpoint, Replicas, resolve
from ir_hub.ir.graph import Model
from ir_hub.ops.build import Builder
from ir_hub.sdk.client import AdapterClient, NamedBlob, Parsed, connect
from ir_hub.sdk.errors import BadModel, Unreachable
from ir_hub.sdk.security import PLAIN
from ir_hub.sdk.tensors import Arrays
from tests.services.conftest import Start
from tests.services.hubs import put_model
from tests.services.processes import Service, start
from tests.services.test_misbehaving import MODULE, X

Use = Callable[[Replicas], Awaitable[object]]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Service]]:
    """Processes with a store each, of one worker and no room to wait."""
    flags = ("--waiting", "0")
    services = [start(MODULE, tmp_path_factory.mktemp(name), *flags) for name in "abc"]
    yield services
    for service in services:
        service.process.terminate()
        service.process.wait(10)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "hub")


def addresses(services: list[Service]) -> str:
    return "|".join(service.address for service in services)


def using(given: str, store: LocalStore, use: Use) -> object:
    """What comes of a use of replicas."""

    async def call() -> object:
        replicas = Replicas(given, store, PLAIN)
        try:
            return await use(replicas)
        finally:
            await replicas.close()

    return asyncio.run(call())


async def parse(
    client: AdapterClient, store: LocalStore, deed: str, begun: asyncio.Event | None = None
) -> Parsed:
    file = NamedBlob("model.deed", store.put_bytes(deed.encode()))
    begun = begun or asyncio.Event()
    return await client.parse([file], X, tell=lambda _: begun.set())


def test_calls_take_turns_and_a_conversion_stays(three: list[Service], store: LocalStore) -> None:
    async def itself(client: AdapterClient) -> int:
        return id(client)

    async def use(replicas: Replicas) -> tuple[list[int], list[int]]:
        free = [await replicas.call(itself) for _ in range(6)]
        keyed = [await replicas.call(itself, key) for key in "aabbcc"]
        return free, keyed

    free, keyed = using(addresses(three), store, use)
    assert len(set(free[:3])) == 3
    assert free[3:] == free[:3]
    assert keyed[::2] == keyed[1::2]
    assert len(set(keyed)) == 3


def test_busy_replicas_are_left_to_others(three: list[Service], store: LocalStore) -> None:
    async def use(replicas: Replicas) -> list[object]:
        # Four at once for three workers that let nobody wait: one has to come again.
        calls = (replicas.call(lambda c: parse(c, store, "talk")) for _ in range(4))
        return await asyncio.gather(*calls)

    assert all(parsed.model for parsed in using(addresses(three), store, use))
    for service in three:
        assert '"outcome": "OK"' in service.log.read_text()
    assert any('"outcome": "BUSY"' in service.log.read_text() for service in three)


def test_what_is_not_there_is_passed_over(three: list[Service], store: LocalStore) -> None:
    given = f"127.0.0.1:1|{three[0].address}"

    async def use(replicas: Replicas) -> list[str]:
        found = [await replicas.call(lambda c: c.describe()) for _ in range(3)]
        return [description.framework for description in found]

    assert using(given, store, use) == ["misbehaving"] * 3


def test_work_of_a_replica_that_dies_is_done_by_another(
    three: list[Service], start_service: Start, store: LocalStore
) -> None:
    mortal = start_service(MODULE)

    async def use(replicas: Replicas) -> Parsed:
        begun = asyncio.Event()
        work = asyncio.create_task(replicas.call(lambda c: parse(c, store, "talk", begun)))
        await asyncio.wait_for(begun.wait(), 20)
        mortal.process.kill()
        return await work

    assert using(f"{mortal.address}|{three[0].address}", store, use).model


def test_work_that_replicas_die_of_is_given_up(start_service: Start, store: LocalStore) -> None:
    mortals = [start_service(MODULE) for _ in "abc"]
    killed = []

    async def fatal(client: AdapterClient) -> Parsed:
        begun = asyncio.Event()
        work = asyncio.create_task(parse(client, store, "hang", begun))
        await asyncio.wait_for(begun.wait(), 20)
        mortals[len(killed)].process.kill()
        killed.append(client)
        return await work

    with pytest.raises(Unreachable):
        using(addresses(mortals), store, lambda replicas: replicas.call(fatal))
    assert len(killed) == 2, "the third one lives on"


def test_an_answer_is_not_asked_for_twice(three: list[Service], store: LocalStore) -> None:
    asked = []

    async def bad(client: AdapterClient) -> Parsed:
        asked.append(client)
        return await parse(client, store, "return_cycle")

    with pytest.raises(BadModel):
        using(addresses(three), store, lambda replicas: replicas.call(bad))
    assert len(asked) == 1


def test_code_runs_where_it_was_written(start_service: Start, store: LocalStore) -> None:
    services = [start_service("tests.services.coding") for _ in "ab"]
    x = {"x": np.float32([[-1, 2, 3], [4, -5, 6]])}
    b = Builder()
    b.graph.outputs = [b.relu(b.input("x", shape=(2, 3)))]
    model = put_model(Model(b.graph), store)

    async def use(replicas: Replicas) -> Arrays:
        written = await replicas.call(lambda c: c.emit(model))
        # The turn is the other one's, which doesn't trust code that it didn't write.
        return await replicas.call(lambda c: c.run(written.files, x))

    assert np.array_equal(using(addresses(services), store, use)["y"], np.maximum(x["x"], 0))


def test_a_common_folder_is_found_out(three: list[Service], store: LocalStore) -> None:
    async def shares(seen: LocalStore) -> bool:
        async with await connect(three[0].address, seen) as client:
            return client.shares_store

    assert asyncio.run(shares(three[0].store))
    assert not asyncio.run(shares(store))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("127.0.0.1:1", [Endpoint("127.0.0.1:1")]),
        ("[::1]:1", [Endpoint("[::1]:1")]),
        ("unix:/run/a|10.0.0.1:2|10.0.0.1:2", [Endpoint("unix:/run/a"), Endpoint("10.0.0.1:2")]),
        ("localhost:1", [Endpoint("127.0.0.1:1", "localhost")]),
    ],
)
def test_addresses_are_resolved(given: str, found: list[Endpoint]) -> None:
    assert asyncio.run(resolve(given)) in (found, [Endpoint("[::1]:1", "localhost")])


def test_a_name_of_nothing_is_said() -> None:
    with pytest.raises(Unreachable, match=r"nothing\.invalid"):
        asyncio.run(resolve("nothing.invalid:1"))


def test_what_a_silent_adapter_can_do_is_known(
    start_service: Start, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters, "_FRESH_SECONDS", 0.0)  # it is asked again each time
    service = start_service(MODULE)

    async def use() -> None:
        settled = {"misbehaving": service.address, "gone": "127.0.0.1:1"}
        known = adapters.Adapters(settled, store.root / "run", store, PLAIN, patience=0)
        before, silent = await known.descriptions()
        assert (list(before), list(silent)) == (["misbehaving"], ["gone"])
        service.process.send_signal(signal.SIGSTOP)
        try:
            after, silent = await known.descriptions()
        finally:
            service.process.send_signal(signal.SIGCONT)
        await known.close()
        assert (after, list(silent)) == (before, ["gone"])

    asyncio.run(use())


def test_a_silent_name_server_holds_nobody_up(
    three: list[Service], store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(given: str) -> list[Endpoint]:
        return await asyncio.Future()

    async def use(known: Replicas) -> tuple[str, str]:
        async def framework(client: AdapterClient) -> str:
            return (await client.describe()).framework

        before = await known.call(framework)
        monkeypatch.setattr(replicas, "_FRESH_SECONDS", 0.0)
        monkeypatch.setattr(replicas, "resolve", never)
        return before, await known.call(framework)

    assert using(three[0].address, store, use) == ("misbehaving",) * 2
