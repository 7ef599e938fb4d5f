"""Blobs between two stores over a real connection, with interruptions."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from ir_hub.blobs import BlobNotFound, BlobServiceError, LocalStore, StoreFull
from ir_hub.blobs.remote import RemoteStore
from ir_hub.blobs.uploads import Limits
from ir_hub.ir.tensor import Blob
from tests.blobs.conftest import ServeApart
from tests.blobs.servers import Serve

LARGE = os.urandom(20 << 20)
CONTENTS = [b"", b"small", os.urandom((1 << 20) + 1), LARGE]


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "local")


@pytest.fixture
def remote(serve: Serve, store: LocalStore, local: LocalStore) -> RemoteStore:
    return RemoteStore(serve(store, Limits()).channel, local)


class Cutter:
    """A connection to `port` that breaks whenever so many bytes have come through, `times` times.

    It counts what it lets through, in both directions together.
    """

    def __init__(self, port: int, every_bytes: int, times: int) -> None:
        self._target = port
        self._every = every_bytes
        self._left = times
        self.passed = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def cuts_left(self) -> int:
        return self._left

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            budget = [self._every]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(
                    target=self._pump, args=(source, sink, budget), daemon=True
                ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, budget: list[int]) -> None:
        try:
            while data := source.recv(1 << 16):
                budget[0] -= len(data)
                if budget[0] < 0 and self._left:
                    self._left -= 1
                    break
                self.passed += len(data)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


@pytest.fixture
def cutter(serve: Serve, store: LocalStore) -> Iterator[Cutter]:
    """A service whose connections break twice, each after 8 MiB."""
    between = Cutter(serve(store, Limits()).port, every_bytes=8 << 20, times=2)
    yield between
    between.close()


def channel_to(port: int) -> grpc.Channel:
    quick = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]
    return grpc.insecure_channel(f"127.0.0.1:{port}", options=quick)


def test_fetched_blobs_are_the_same(
    remote: RemoteStore, store: LocalStore, local: LocalStore
) -> None:
    blobs = [store.put_bytes(content) for content in CONTENTS]
    remote.fetch(blobs)
    assert [bytes(local.open(blob)) for blob in blobs] == CONTENTS
    assert list((local.root / "scratch").iterdir()) == []


def test_pushed_blobs_are_the_same(
    remote: RemoteStore, store: LocalStore, local: LocalStore
) -> None:
    blobs = [local.put_bytes(content) for content in CONTENTS]
    assert remote.missing(blobs) == blobs
    remote.push(blobs)
    assert [bytes(store.open(blob)) for blob in blobs] == CONTENTS
    assert remote.missing(blobs) == []


def test_nothing_travels_twice(serve: Serve, store: LocalStore, local: LocalStore) -> None:
    between = Cutter(serve(store, Limits()).port, every_bytes=0, times=0)
    blob = store.put_bytes(LARGE)
    assert local.put_bytes(LARGE) == blob
    with channel_to(between.port) as channel:
        remote = RemoteStore(channel, local)
        remote.fetch([blob])
        remote.push([blob])
    between.close()
    assert between.passed < 10_000


def test_all_blobs_that_cannot_be_fetched_are_named(
    remote: RemoteStore, store: LocalStore, local: LocalStore
) -> None:
    absent = [Blob(digit * 64, 3) for digit in "01"]
    present = store.put_bytes(b"present")
    with pytest.raises(BlobNotFound) as caught:
        remote.fetch([absent[0], present, absent[1]])
    assert caught.value.digests == tuple(blob.digest for blob in absent)
    assert not local.has(present)


def test_all_blobs_that_cannot_be_pushed_are_named(remote: RemoteStore) -> None:
    absent = [Blob(digit * 64, 3) for digit in "01"]
    with pytest.raises(BlobNotFound) as caught:
        remote.push(absent)
    assert caught.value.digests == tuple(blob.digest for blob in absent)


def test_more_blobs_than_fit_one_request_are_asked_about(
    remote: RemoteStore, store: LocalStore
) -> None:
    blobs = [Blob(f"{number:064x}", 1) for number in range(2500)]
    assert remote.missing([*blobs, store.put_bytes(b"x"), *blobs]) == blobs


def test_a_broken_download_goes_on(cutter: Cutter, store: LocalStore, local: LocalStore) -> None:
    blob = store.put_bytes(LARGE)
    with channel_to(cutter.port) as channel:
        RemoteStore(channel, local).fetch([blob])
    assert local.open(blob) == LARGE
    assert cutter.cuts_left == 0
    assert cutter.passed < len(LARGE) * 1.5, "what had arrived was not sent again"


def test_a_broken_upload_goes_on(cutter: Cutter, store: LocalStore, local: LocalStore) -> None:
    blob = local.put_bytes(LARGE)
    with channel_to(cutter.port) as channel:
        RemoteStore(channel, local).push([blob])
    assert store.open(blob) == LARGE
    assert cutter.cuts_left == 0
    assert cutter.passed < len(LARGE) * 1.5, "what had arrived was not sent again"


def test_a_restarted_service_gets_the_upload_from_the_start(
    serve_apart: ServeApart, local: LocalStore, tmp_path: Path
) -> None:
    blob = local.put_bytes(LARGE)
    process, port = serve_apart(tmp_path / "remote", 0)
    with channel_to(port) as channel:
        grpc.channel_ready_future(channel).result(timeout=10)
        process.kill()
        process.wait()
        again = threading.Timer(0.3, serve_apart, (tmp_path / "remote", port))
        again.start()
        RemoteStore(channel, local).push([blob])
        again.join()
    assert LocalStore(tmp_path / "remote").open(blob) == LARGE


def test_a_service_that_is_not_there_is_said(local: LocalStore) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with channel_to(port) as channel, pytest.raises(BlobServiceError) as caught:
        RemoteStore(channel, local, f"127.0.0.1:{port}", attempts=2).missing([Blob("0" * 64, 1)])
    assert caught.value.reason == "UNAVAILABLE"
    assert f"127.0.0.1:{port}" in str(caught.value)


@pytest.mark.parametrize("full", ["here", "there"])
def test_a_full_store_is_said(serve: Serve, tmp_path: Path, full: str) -> None:
    here = LocalStore(tmp_path / "here", 1 << 20 if full == "here" else None)
    there = LocalStore(tmp_path / "there", 1 << 20 if full == "there" else None)
    remote = RemoteStore(serve(there, Limits()).channel, here, where="there")
    calls: dict[str, Callable[[], None]] = {
        "here": lambda: remote.fetch([there.put_bytes(LARGE)]),
        "there": lambda: remote.push([here.put_bytes(LARGE)]),
    }
    with pytest.raises(StoreFull, match=full) as caught:
        calls[full]()
    assert (caught.value.needed_bytes, caught.value.free_bytes) == (len(LARGE), 1 << 20)
