"""Adapters that crash, hang, eat memory or lie: each costs one call, which says what happened."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.client import AdapterClient, NamedBlob, Parsed
from ir_hub.sdk.errors import (
    AdapterError,
    BadModel,
    Busy,
    Cancelled,
    Internal,
    TimedOut,
    WorkerCrashed,
)
from ir_hub.sdk.worker import Progress
from tests.services.processes import Service, command, eventually, start

MODULE = "tests.services.misbehaving"
X = {"x": TensorType(DType.FLOAT32, (2,))}
MIB = 1 << 20


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    flags = ("--time-limit", "3", "--memory-limit", str(300 * MIB), "--waiting", "1")
    service = start(MODULE, tmp_path_factory.mktemp("misbehaving"), *flags)
    yield service
    service.process.terminate()
    assert service.process.wait(10) == 0


def client_of(service: Service) -> AdapterClient:
    return AdapterClient(service.address, service.store, shares_store=True)


async def do(client: AdapterClient, service: Service, deed: str, **how: object) -> Parsed:
    files = [NamedBlob("model.deed", service.store.put_bytes(deed.encode()))]
    return await client.parse(files, X, **how)


def parse(service: Service, deed: str, **how: object) -> Parsed:
    async def call() -> Parsed:
        async with client_of(service) as client:
            return await do(client, service, deed, **how)

    return asyncio.run(call())


def refused(service: Service, kind: type[AdapterError], deed: str) -> AdapterError:
    """The error that a deed ends with; the next call works, and nothing is left of it."""
    with pytest.raises(kind) as caught:
        parse(service, deed)
    assert parse(service, "do_nothing").model
    assert service.leftovers() == []
    assert eventually(lambda: len(service.workers()) == 1)
    assert service.process.poll() is None
    return caught.value


@pytest.mark.parametrize(
    ("deed", "name"), [("segfault", "SIGSEGV"), ("kill", "SIGKILL"), ("die_halfway", "SIGKILL")]
)
def test_a_crash_names_its_signal_and_memory(service: Service, deed: str, name: str) -> None:
    error = refused(service, WorkerCrashed, deed)
    assert error.metadata["signal"] == name
    assert int(error.metadata["peak_memory_bytes"]) > 10 * MIB
    assert name in str(error)


def test_a_quiet_exit_is_a_crash_too(service: Service) -> None:
    assert refused(service, WorkerCrashed, "leave_quietly").metadata["exit_code"] == "3"


@pytest.mark.parametrize("deed", ["fail", "leave"])
def test_what_is_raised_is_named_and_traced_in_the_log(service: Service, deed: str) -> None:
    error = refused(service, Internal, deed)
    kind = {"fail": "ZeroDivisionError", "leave": "SystemExit"}[deed]
    assert error.metadata["type"] == kind
    assert "Traceback" not in str(error)
    assert f"in {deed}" in service.log.read_text()


@pytest.mark.parametrize("deed", ["hang", "hang_natively"])
def test_a_hang_ends_at_the_time_limit(service: Service, deed: str) -> None:
    begun = time.monotonic()
    assert refused(service, TimedOut, deed).metadata["limit_seconds"] == "3"
    assert time.monotonic() - begun < 8


def test_a_worker_is_held_to_its_memory(service: Service) -> None:
    error = refused(service, WorkerCrashed, "eat")
    assert error.metadata["memory_limit_bytes"] == str(300 * MIB)
    assert 300 * MIB < int(error.metadata["peak_memory_bytes"]) < 600 * MIB


def test_models_that_make_no_sense_are_refused(service: Service) -> None:
    assert "cycle" in str(refused(service, BadModel, "return_cycle"))
    assert "no type" in str(refused(service, BadModel, "return_untyped_input"))


def test_wrong_answers_of_an_adapter_are_ours_to_report(service: Service) -> None:
    async def call() -> None:
        async with client_of(service) as client:
            model = (await do(client, service, "do_nothing")).model
            with pytest.raises(Internal, match="outside"):
                await client.emit(model)
            with pytest.raises(Internal):
                await client.run([NamedBlob("m", model)], {"x": np.ones(2)})

    asyncio.run(call())
    assert service.leftovers() == []


def test_progress_arrives_and_output_goes_to_the_log(service: Service) -> None:
    told: list[Progress] = []
    parse(service, "talk", tell=told.append)
    assert Progress("step 3", 0.6) in told
    assert told == sorted(told, key=lambda progress: progress.fraction)
    assert "not json" in service.log.read_text()


@pytest.mark.parametrize("deed", ["hang", "hang_natively", "hang_with_a_child"])
def test_a_cancelled_call_is_stopped_within_two_seconds(service: Service, deed: str) -> None:
    async def call() -> None:
        async with client_of(service) as client:
            hanging = asyncio.Event()
            work = asyncio.create_task(do(client, service, deed, tell=lambda _: hanging.set()))
            await asyncio.wait_for(hanging.wait(), 5)
            grown = psutil.Process(service.process.pid).children(recursive=True)
            work.cancel()
            with pytest.raises((asyncio.CancelledError, Cancelled)):
                await work
            gone, alive = psutil.wait_procs([p for p in grown if is_work(p)], timeout=2)
            assert gone
            assert not alive

    asyncio.run(call())
    assert parse(service, "do_nothing").model
    assert eventually(lambda: service.leftovers() == [])


def is_work(process: psutil.Process) -> bool:
    """Whether it does a job's work: a worker or a worker's child."""
    return "resource_tracker" not in command(process)


def test_a_callers_deadline_stops_the_work(service: Service) -> None:
    with pytest.raises(TimedOut):
        parse(service, "hang", seconds=1.0)
    begun = time.monotonic()
    assert parse(service, "do_nothing").model
    assert time.monotonic() - begun < 2


def test_too_many_calls_are_sent_away_at_once(service: Service) -> None:
    async def call() -> None:
        async with client_of(service) as client:
            calls = [asyncio.create_task(do(client, service, "talk")) for _ in range(3)]
            results = await asyncio.gather(*calls, return_exceptions=True)
            busy = [result for result in results if isinstance(result, Busy)]
            assert len(busy) == 1
            assert busy[0].retry_seconds > 0
            assert sum(isinstance(result, Parsed) for result in results) == 2

    asyncio.run(call())


def test_a_worker_killed_while_idle_costs_nothing(service: Service) -> None:
    assert eventually(lambda: len(service.workers()) == 1)
    service.workers()[0].kill()
    assert eventually(lambda: service.workers() == [])
    assert parse(service, "do_nothing").model


def test_no_worker_outlives_a_killed_service(start_service: object) -> None:
    service = start_service(MODULE)
    family = psutil.Process(service.process.pid).children(recursive=True)

    async def call() -> None:
        async with client_of(service) as client:
            hanging = asyncio.Event()
            work = asyncio.create_task(
                do(client, service, "hang_natively", tell=lambda _: hanging.set())
            )
            await asyncio.wait_for(hanging.wait(), 5)
            service.process.send_signal(signal.SIGKILL)
            with pytest.raises(AdapterError):
                await work

    asyncio.run(call())
    service.process.wait()
    _, alive = psutil.wait_procs(family, timeout=3)
    assert alive == []
