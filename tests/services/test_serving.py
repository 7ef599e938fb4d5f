"""How any adapter is served: whom it lets in, what it says of itself, how it stops."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import numpy as np
import psutil
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from ir_hub.sdk.client import AdapterClient, NamedBlob
from ir_hub.sdk.errors import NoRoom, Unreachable
from ir_hub.sdk.security import Access
from irhub.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from tests.services.conftest import Start
from tests.services.processes import ROOT, Service, eventually
from tests.services.test_misbehaving import MODULE, X, do
from tests.services.test_toy import call, model_file

TOY = "tests.services.toy.adapter"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def test_services_can_be_discovered(toy: Service) -> None:
    with grpc.insecure_channel(toy.address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = stub.ServerReflectionInfo(iter([request]))
        names = {service.name for service in answer.list_services_response.service}
        assert names == {
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
            "irhub.adapter.v1.AdapterService",
            "irhub.blob.v1.BlobService",
        }
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", "irhub.adapter.v1.AdapterService", "irhub.blob.v1.BlobService"):
            assert health.Check(health_pb2.HealthCheckRequest(service=name)).status == SERVING


def test_an_error_is_a_status_that_any_client_can_read(toy: Service) -> None:
    with grpc.insecure_channel(toy.address) as channel:
        stub = adapter_pb2_grpc.AdapterServiceStub(channel)
        request = adapter_pb2.EmitRequest(options={"speed": "9"})
        with pytest.raises(grpc.RpcError) as caught:
            list(stub.Emit(request))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    trailers = dict(caught.value.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(bad)
    assert (info.reason, info.domain) == ("BAD_REQUEST", "irhub")
    assert [violation.field for violation in bad.field_violations] == ["options.speed"]


def test_messages_are_limited(toy: Service) -> None:
    request = adapter_pb2.ParseRequest(options={"x": "y" * (5 << 20)})
    with grpc.insecure_channel(toy.address) as channel, pytest.raises(grpc.RpcError) as caught:
        list(adapter_pb2_grpc.AdapterServiceStub(channel).Parse(request))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_log_lines_carry_the_callers_id(toy: Service) -> None:
    files = model_file(toy, b"relu")
    call(toy, lambda client: client.parse(files, X, request_id="conversions/42:parse"))
    lines = [json.loads(line) for line in toy.log.read_text().splitlines() if "{" in line]
    (line,) = [line for line in lines if line.get("request_id") == "conversions/42:parse"]
    assert (line["event"], line["stage"], line["outcome"]) == ("call", "parse", "OK")


def test_the_front_never_loads_the_framework(start_service: Start) -> None:
    service = start_service(MODULE)

    def loads(process: psutil.Process) -> bool:
        return any("safetensors" in mapped.path for mapped in process.memory_maps())

    assert all(map(loads, service.workers()))
    assert not loads(psutil.Process(service.process.pid))


def test_a_full_store_is_said_to_be_full(start_service: Start) -> None:
    service = start_service(TOY, "--store-limit", "2000")
    files = model_file(service, b"relu")
    x = {"x": np.linspace(-1, 1, 1000, dtype=np.float32)}
    with pytest.raises(NoRoom) as caught:
        call(service, lambda client: client.run(files, x))
    assert int(caught.value.metadata["needed_bytes"]) == 4000
    assert call(service, lambda client: client.describe())
    assert service.leftovers() == []


@pytest.mark.parametrize("flags", [("--address", "0.0.0.0:0"), ("--address", "[::]:0")])
def test_other_machines_are_served_only_when_that_is_meant(flags: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", TOY, "--store", "unused", *flags]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "tls_cert" in ended.stderr
    assert not (ROOT / "unused").exists()


def test_insecure_has_to_be_said(start_service: Start) -> None:
    service = start_service(TOY, "--address", "0.0.0.0:0", "--insecure")
    assert service.address.startswith("0.0.0.0:")


def test_a_port_in_use_is_an_error(toy: Service, tmp_path: Path) -> None:
    command = [sys.executable, "-m", TOY, "--store", str(tmp_path), "--address", toy.address]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1
    assert toy.address in ended.stderr
    assert ended.stdout == ""


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificates with openssl")
def test_with_a_client_ca_only_its_clients_get_in(start_service: Start, tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    subprocess.run([*made, "-keyout", key, "-out", cert, *names], check=True, capture_output=True)
    tls = ("--tls-cert", str(cert), "--tls-key", str(key), "--tls-client-ca", str(cert))
    service = start_service(TOY, "--address", "localhost:0", *tls)

    async def describe(access: Access) -> str:
        client = AdapterClient(service.address, service.store, shares_store=True, access=access)
        async with client:
            return (await client.describe(5)).framework

    assert asyncio.run(describe(Access(ca=cert, cert=cert, key=key))) == "toy"
    for stranger in (Access(), Access(ca=cert)):
        with pytest.raises(Unreachable):
            asyncio.run(describe(stranger))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopping_service_finishes_what_it_began(
    start_service: Start, number: signal.Signals
) -> None:
    service = start_service(MODULE, "--drain-notice", "0.4")
    workers = service.workers()

    async def use() -> None:
        async with AdapterClient(service.address, service.store, shares_store=True) as client:
            begun = asyncio.Event()
            work = asyncio.create_task(do(client, service, "talk", tell=lambda _: begun.set()))
            await asyncio.wait_for(begun.wait(), 5)
            service.process.send_signal(number)
            with grpc.insecure_channel(service.address) as channel:
                health = health_pb2_grpc.HealthStub(channel)
                check = health_pb2.HealthCheckRequest()
                assert eventually(lambda: health.Check(check).status == NOT_SERVING, 0.4)
            assert (await work).model
            with pytest.raises(Unreachable):
                await client.parse([NamedBlob("m.deed", service.store.put_bytes(b"x"))], X)

    asyncio.run(use())
    assert service.process.wait(5) == 0
    assert psutil.wait_procs(workers, timeout=2)[1] == []
    assert list((service.store.root / "scratch").iterdir()) == []


def test_draining_has_a_limit(start_service: Start) -> None:
    service = start_service(MODULE, "--drain-limit", "0.5")

    async def use() -> None:
        async with AdapterClient(service.address, service.store, shares_store=True) as client:
            begun = asyncio.Event()
            work = asyncio.create_task(do(client, service, "hang", tell=lambda _: begun.set()))
            await asyncio.wait_for(begun.wait(), 5)
            service.process.terminate()
            with pytest.raises(Unreachable):
                await work

    asyncio.run(use())
    assert service.process.wait(5) == 0


def test_old_connections_end_without_a_call_being_lost(start_service: Start) -> None:
    service = start_service(MODULE, "--max-connection-age", "0.2")

    async def use() -> None:
        async with AdapterClient(service.address, service.store, shares_store=True) as client:
            for _ in range(3):
                assert (await do(client, service, "talk")).model

    asyncio.run(use())
