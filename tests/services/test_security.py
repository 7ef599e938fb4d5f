"""Who gets in, by TLS, by certificates and by tokens; and how those that don't are told."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from ir_hub import health as probe
from ir_hub.blobs import LocalStore
from ir_hub.blobs.service import BlobService
from ir_hub.client import AsyncHubClient, HubClient
from ir_hub.hub.settings import load
from ir_hub.sdk.client import connect
from ir_hub.sdk.errors import AdapterError, Unauthenticated, Unreachable
from ir_hub.sdk.security import PLAIN, Access, Listener, Tokens, Unsafe
from irhub.blob.v1 import blob_pb2_grpc
from irhub.hub.v1 import hub_pb2
from tests.services.certificates import Authority, Pair, authority, needs_openssl
from tests.services.hubs import State, launch, rows, start_hub
from tests.services.processes import start

pytestmark = needs_openssl
TOY = "tests.services.toy.adapter"


@dataclass(frozen=True)
class Keys:
    """Certificates of an authority that is trusted, and of one that isn't."""

    ours: Authority
    theirs: Authority
    server: Pair
    client: Pair
    stranger: Pair

    def listener(self, *, mutual: bool) -> Listener:
        """A place to listen with TLS."""
        ca = self.ours.ca if mutual else None
        return Listener("localhost:0", self.server.cert, self.server.key, ca)

    def access(self, kind: str) -> Access:
        """How a caller of some kind comes."""
        mine = {"cert": self.client.cert, "key": self.client.key}
        strange = {"cert": self.stranger.cert, "key": self.stranger.key}
        return {
            "plain": PLAIN,
            "well-known authorities": Access(tls=True),
            "another authority": Access(ca=self.theirs.ca),
            "our authority": Access(ca=self.ours.ca),
            "our certificate": Access(ca=self.ours.ca, **mine),
            "a stranger's certificate": Access(ca=self.ours.ca, **strange),
        }[kind]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    ours, theirs = authority(folder / "ours"), authority(folder / "theirs")
    client, stranger = ours.issue("client"), theirs.issue("client")
    return Keys(ours, theirs, ours.issue("server"), client, stranger)


@asynccontextmanager
async def served(listener: Listener, store: LocalStore, *tokens: Tokens) -> AsyncIterator[str]:
    """Blobs, health and reflection at an address."""
    server = grpc.aio.server(interceptors=tokens)
    healthy = health.aio.HealthServicer()
    BlobService(store).add_to(server)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    reflection.enable_server_reflection([reflection.SERVICE_NAME], server)
    await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    address = listener.open(server)
    await server.start()
    try:
        yield address
    finally:
        await server.stop(None)


async def reached(address: str, store: LocalStore, access: Access) -> type[AdapterError] | None:
    """What a caller gets for an answer."""
    try:
        async with await connect(address, store, access):
            return None
    except AdapterError as error:
        return type(error)


PLAIN_CALLERS = ["plain", "well-known authorities", "another authority"]


@pytest.mark.parametrize(
    ("mutual", "kind", "refusal"),
    [
        *((mutual, kind, Unreachable) for mutual in (False, True) for kind in PLAIN_CALLERS),
        (False, "our authority", None),
        (False, "our certificate", None),
        (True, "our authority", Unreachable),
        (True, "a stranger's certificate", Unreachable),
        (True, "our certificate", None),
    ],
)
def test_certificates(
    keys: Keys, tmp_path: Path, mutual: bool, kind: str, refusal: type[AdapterError] | None
) -> None:
    store = LocalStore(tmp_path)

    async def call() -> type[AdapterError] | None:
        async with served(keys.listener(mutual=mutual), store) as address:
            return await reached(address, store, keys.access(kind))

    assert asyncio.run(call()) is refusal


def bearing(keys: Keys, folder: Path, token: str) -> Access:
    """A caller with a token, or with none."""
    if not token:
        return keys.access("our authority")
    path = folder / "mine"
    path.write_text(token)
    return Access(ca=keys.ours.ca, token_file=path)


@pytest.mark.parametrize(
    ("token", "refusal"),
    [
        ("first", None),
        ("second", None),
        ("", Unauthenticated),
        ("third", Unauthenticated),
        ("firs", Unauthenticated),
        ("first2", Unauthenticated),
    ],
)
def test_tokens(keys: Keys, tmp_path: Path, token: str, refusal: type[AdapterError] | None) -> None:
    known = tmp_path / "tokens"
    known.write_text("# those of March\nfirst\n\n  second  \n")
    store = LocalStore(tmp_path / "store")

    async def call() -> type[AdapterError] | None:
        async with served(keys.listener(mutual=False), store, Tokens(known)) as address:
            return await reached(address, store, bearing(keys, tmp_path, token))

    assert asyncio.run(call()) is refusal


@pytest.mark.parametrize("given", ["first", "Basic first", "Bearer", "Bearer  ", "Bearer #"])
def test_what_is_no_token_is_refused(tmp_path: Path, given: str) -> None:
    known = tmp_path / "tokens"
    known.write_text("first\n")
    store = LocalStore(tmp_path / "store")

    async def call() -> grpc.StatusCode:
        async with (
            served(Listener("127.0.0.1:0"), store, Tokens(known)) as address,
            grpc.aio.insecure_channel(address) as channel,
        ):
            stub = blob_pb2_grpc.BlobServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                # A stream of requests that nobody reads must not hold up the answer.
                await stub.WriteBlob(iter(()), metadata=[("authorization", given)])
            return caught.value.code()

    assert asyncio.run(call()) is grpc.StatusCode.UNAUTHENTICATED


def test_health_and_reflection_are_open(tmp_path: Path) -> None:
    known = tmp_path / "tokens"
    known.write_text("first\n")

    async def call() -> tuple[str, int]:
        listener = Listener("127.0.0.1:0")
        async with (
            served(listener, LocalStore(tmp_path / "store"), Tokens(known)) as address,
            grpc.aio.insecure_channel(address) as channel,
        ):
            found = await asyncio.to_thread(probe.problem, address, PLAIN)
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            answers = [a async for a in stub.ServerReflectionInfo(iter([request]))]
            return found, len(answers)

    assert asyncio.run(call()) == ("", 1)


def test_what_changes_is_read_again(keys: Keys, tmp_path: Path) -> None:
    known, store = tmp_path / "tokens", LocalStore(tmp_path / "store")
    known.write_text("first\n")
    cert, key = tmp_path / "cert", tmp_path / "key"
    listener = Listener("localhost:0", cert, key)

    def install(pair: Pair) -> None:
        cert.write_bytes(pair.cert.read_bytes())
        key.write_bytes(pair.key.read_bytes())

    async def call() -> list[type[AdapterError] | None]:
        install(keys.server)
        ours = bearing(keys, tmp_path, "first")
        found = []
        async with served(listener, store, Tokens(known)) as address:
            found.append(await reached(address, store, ours))
            known.write_text("other\n")
            found.append(await reached(address, store, ours))
            known.write_text("")  # as while it is being written
            found.append(await reached(address, store, bearing(keys, tmp_path, "other")))
            install(keys.stranger)
            found.append(await reached(address, store, ours))
        return found

    assert asyncio.run(call()) == [None, Unauthenticated, None, Unreachable]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: Listener("0.0.0.0:1"), "insecure"),
        (lambda path: Listener("[::]:1"), "tls_cert"),
        (lambda path: Listener("example.com:1"), "tls_cert"),
        (lambda path: Listener("127.0.0.1:1", tls_cert=path), "together"),
        (lambda path: Listener("127.0.0.1:1", tls_client_ca=path), "needs tls_cert"),
        (lambda path: Access(cert=path), "both"),
        (lambda path: Access(token_file=path), "in the clear"),
        (lambda path: Tokens(path), "no token"),
        (lambda path: Access(tls=True, token_file=path).channel("a:1"), "no token"),
    ],
)
def test_what_is_not_safe_is_refused(
    make: Callable[[Path], object], words: str, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.write_text("# nothing yet\n")
    with pytest.raises(Unsafe, match=words):
        make(empty)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--address=0.0.0.0:0"], "insecure"),
        (["--tls-cert=nowhere.pem"], "tls_cert"),
        (["--otlp-endpoint=collector:4317"], "otlp_endpoint"),
        (["--metrics-address=9090"], "metrics_address"),
        (["--hub-token-file=README.md"], "in the clear"),
    ],
)
def test_a_hub_that_is_not_safe_does_not_start(
    tmp_path: Path, flags: list[str], words: str
) -> None:
    process = launch(tmp_path, *flags)
    assert process.wait(30) == 2
    assert words in (tmp_path / "log").read_text()


def test_the_settings_of_a_file_are_kept(keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        f'address = "0.0.0.0:1"\ntls_cert = "{keys.server.cert}"\ntls_key = "{keys.server.key}"\n'
        f'adapter_ca = "{keys.ours.ca}"\n[adapters]\nonnx = "a:1|b:2"\n'
    )
    now = load(home=tmp_path)
    assert now.listener() == Listener("0.0.0.0:1", keys.server.cert, keys.server.key)
    assert now.adapter_access() == Access(ca=keys.ours.ca)
    assert now.adapters == {"onnx": "a:1|b:2"}


@pytest.mark.parametrize(
    ("kind", "code"), [("our certificate", 0), ("our authority", 1), ("plain", 1)]
)
def test_probe(keys: Keys, tmp_path: Path, kind: str, code: int) -> None:
    access = keys.access(kind)
    files = {"ca": access.ca, "cert": access.cert, "key": access.key}
    environment = {f"IRHUB_HEALTH_{n.upper()}": str(path) for n, path in files.items() if path}

    async def call() -> int:
        async with served(keys.listener(mutual=True), LocalStore(tmp_path)) as address:
            return await asyncio.to_thread(probe.main, [address], environment)

    assert asyncio.run(call()) == code


def test_probe_is_a_command() -> None:
    command = [sys.executable, "-m", "ir_hub.health", "127.0.0.1:1"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("127.0.0.1:1 doesn't serve: UNAVAILABLE")


def command(address: str, access: Access) -> subprocess.CompletedProcess[str]:
    """`irhub adapters` of a hub elsewhere."""
    said = {"HUB": address, "HUB_CA": access.ca, "HUB_CERT": access.cert, "HUB_KEY": access.key}
    said["HUB_TOKEN_FILE"] = access.token_file
    environment = os.environ | {f"IRHUB_{name}": str(value) for name, value in said.items()}
    irhub = Path(sys.executable).with_name("irhub")
    return subprocess.run([irhub, "adapters"], env=environment, capture_output=True, text=True)


def test_all_parts_work_together_behind_certificates(keys: Keys, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("secret\n")
    (tmp_path / "toy").mkdir()
    pair = (f"--tls-cert={keys.server.cert}", f"--tls-key={keys.server.key}")
    mutual = (*pair, f"--tls-client-ca={keys.ours.ca}")
    toy = start(TOY, tmp_path / "toy", "--address=localhost:0", *mutual)
    hub = start_hub(
        tmp_path / "hub",
        *mutual,
        "--address=localhost:0",
        f"--token-file={tokens}",
        f"--adapters=toy={toy.address}",
        f"--adapter-ca={keys.ours.ca}",
        f"--adapter-cert={keys.client.cert}",
        f"--adapter-key={keys.client.key}",
    )
    access = Access(ca=keys.ours.ca, cert=keys.client.cert, key=keys.client.key, token_file=tokens)
    model = tmp_path / "model.toy"
    model.write_text("relu\n")
    spec = hub_pb2.ConversionSpec(target="toy", inputs={"x": rows()})

    async def convert() -> list[hub_pb2.Conversion]:
        own = LocalStore(tmp_path / "own")
        async with AsyncHubClient(hub.client.address, own, access) as client:
            spec.files.extend(await client.upload([model]))
            name = (await client.create(spec)).name
            seen = [conversion async for conversion in client.watch(name)]
            await client.download(seen[-1].files, tmp_path / "out")
            assert (await client.report(seen[-1]))["report_format"]
            assert [each.name async for each in client.list()] == [name]
            assert [each.healthy for each in await client.adapters()] == [True]
            return seen

    try:
        seen = asyncio.run(convert())
        assert seen[-1].state == State.STATE_SUCCEEDED, seen[-1].failure
        assert (tmp_path / "out" / "model.toy").read_text() == "relu"
        with (
            HubClient(hub.client.address, LocalStore(tmp_path / "none"), PLAIN) as stranger,
            pytest.raises(Unreachable),
        ):
            stranger.adapters()
        assert command(hub.client.address, access).returncode == 0
        tokens_of_others = tmp_path / "others"
        tokens_of_others.write_text("guess")
        refused = command(hub.client.address, replace(access, token_file=tokens_of_others))
        assert (refused.returncode, "isn't one of this hub's" in refused.stderr) == (2, True)
    finally:
        hub.stop()
        toy.process.terminate()
        toy.process.wait(10)
