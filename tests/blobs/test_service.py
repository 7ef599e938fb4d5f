"""The blob service over a real connection: what each call promises, and how it refuses."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hypothesis import given
from hypothesis import strategies as st

from ir_hub.blobs import LocalStore, sha256
from ir_hub.blobs.uploads import Limits
from ir_hub.blobs.wire import blob_to_proto
from ir_hub.ir.tensor import Blob
from irhub.blob.v1 import blob_pb2, blob_pb2_grpc
from tests.blobs.conftest import ServeApart
from tests.blobs.servers import Serve

MIB = 1 << 20
DATA = os.urandom(2 * MIB + 12_345)
Stub = blob_pb2_grpc.BlobServiceStub


@pytest.fixture
def stub(serve: Serve, store: LocalStore) -> Stub:
    return Stub(serve(store, Limits(blob_bytes=64 * MIB, uploads=3, blobs_per_request=100)).channel)


def named(data: bytes) -> Blob:
    return Blob(sha256(data), len(data))


def messages(
    blob: Blob, data: bytes, upload_id: str, offset: int = 0
) -> Iterator[blob_pb2.WriteBlobRequest]:
    yield blob_pb2.WriteBlobRequest(
        blob=blob_to_proto(blob), upload_id=upload_id, write_offset=offset
    )
    for start in range(0, len(data), MIB):
        yield blob_pb2.WriteBlobRequest(data=data[start : start + MIB])


def write(
    stub: Stub, blob: Blob, data: bytes, upload_id: str = "", offset: int = 0
) -> blob_pb2.WriteBlobResponse:
    return stub.WriteBlob(messages(blob, data, upload_id or uuid.uuid4().hex, offset))


def query(stub: Stub, blob: Blob, upload_id: str) -> blob_pb2.QueryWriteResponse:
    request = blob_pb2.QueryWriteRequest(blob=blob_to_proto(blob), upload_id=upload_id)
    return stub.QueryWrite(request)


def read(stub: Stub, blob: Blob, offset: int = 0, limit: int = 0) -> bytes:
    request = blob_pb2.ReadBlobRequest(
        blob=blob_to_proto(blob), read_offset=offset, read_limit=limit
    )
    return b"".join(response.data for response in stub.ReadBlob(request))


def refused(call: Callable[[], object]) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """The code, reason and metadata with which a call is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert isinstance(caught.value, grpc.Call)
    status = rpc_status.from_call(caught.value)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "irhub"
    return caught.value.code(), info.reason, dict(info.metadata)


INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("data", [b"", b"x", DATA], ids=["empty", "small", "large"])
def test_what_is_written_is_read(stub: Stub, store: LocalStore, data: bytes) -> None:
    blob = named(data)
    response = write(stub, blob, data)
    assert (response.committed_size_bytes, response.complete) == (len(data), True)
    assert store.open(blob) == data
    assert read(stub, blob) == data
    assert list((store.root / "scratch").iterdir()) == []


def test_missing_blobs_are_found(stub: Stub, store: LocalStore) -> None:
    present, absent = store.put_bytes(b"present"), Blob("0" * 64, 3)
    request = blob_pb2.FindMissingBlobsRequest(blobs=map(blob_to_proto, [absent, present, absent]))
    assert list(stub.FindMissingBlobs(request).missing_blobs) == [blob_to_proto(absent)]


@pytest.fixture(scope="module")
def large(serve_module: Serve, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stub, Blob]:
    store = LocalStore(tmp_path_factory.mktemp("store"))
    return Stub(serve_module(store, Limits()).channel), store.put_bytes(DATA)


EDGES = st.sampled_from([0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, len(DATA) - 1, len(DATA)])


@given(
    offset=EDGES | st.integers(0, len(DATA)),
    limit=EDGES | st.integers(0, 2 * len(DATA)),
)
def test_any_range_is_read(large: tuple[Stub, Blob], offset: int, limit: int) -> None:
    stub, blob = large
    expected = DATA[offset : offset + limit] if limit else DATA[offset:]
    assert read(stub, blob, offset, limit) == expected


def test_chunks_fit_any_clients_message_limit(large: tuple[Stub, Blob]) -> None:
    stub, blob = large
    request = blob_pb2.ReadBlobRequest(blob=blob_to_proto(blob))
    assert [len(response.data) for response in stub.ReadBlob(request)] == [MIB, MIB, 12_345]


def test_an_upload_goes_on_where_it_broke_off(stub: Stub, store: LocalStore) -> None:
    blob, upload_id = named(DATA), "resumed-upload"
    assert query(stub, blob, upload_id).committed_size_bytes == 0
    first = write(stub, blob, DATA[:MIB], upload_id)
    assert (first.committed_size_bytes, first.complete) == (MIB, False)
    assert not store.has(blob)
    assert query(stub, blob, upload_id).committed_size_bytes == MIB
    assert write(stub, blob, DATA[MIB:], upload_id, offset=MIB).complete
    assert store.open(blob) == DATA
    after = query(stub, blob, upload_id)
    assert (after.committed_size_bytes, after.complete) == (blob.size, True)


def test_a_cancelled_stream_can_be_resumed(stub: Stub, store: LocalStore) -> None:
    blob, upload_id = named(DATA), "cancelled-upload"

    def endless() -> Iterator[blob_pb2.WriteBlobRequest]:
        yield from messages(blob, DATA[:MIB], upload_id)
        while query(stub, blob, upload_id).committed_size_bytes < MIB:
            pass
        call.cancel()

    call = stub.WriteBlob.future(endless())
    with pytest.raises(grpc.FutureCancelledError):
        call.result()
    assert write(stub, blob, DATA[MIB:], upload_id, offset=MIB).complete
    assert store.open(blob) == DATA


def test_data_must_follow_what_has_arrived(stub: Stub) -> None:
    blob, upload_id = named(DATA), "wrong-offset"
    write(stub, blob, DATA[:MIB], upload_id)
    for offset in (0, MIB - 1, MIB + 1):
        code, reason, details = refused(lambda at=offset: write(stub, blob, b"x", upload_id, at))
        assert (code, reason) == (grpc.StatusCode.ABORTED, "UPLOAD_OFFSET")
        assert details["committed_size_bytes"] == str(MIB)
    assert write(stub, blob, DATA[MIB:], upload_id, offset=MIB).complete


@pytest.mark.parametrize("data", [DATA[:-1] + b"\0", DATA + b"\0"], ids=["changed", "longer"])
def test_other_content_is_refused(stub: Stub, store: LocalStore, data: bytes) -> None:
    blob, upload_id = named(DATA), "other-content"
    code, reason, _ = refused(lambda: write(stub, blob, data, upload_id))
    assert (code, reason) == (INVALID, "DIGEST_MISMATCH")
    assert store.used_bytes() == 0
    assert list((store.root / "scratch").iterdir()) == []
    assert query(stub, blob, upload_id).committed_size_bytes == 0


def test_two_uploads_of_one_blob_both_succeed(stub: Stub, store: LocalStore) -> None:
    blob = named(DATA)
    for upload_id in ("upload-one", "upload-two"):
        assert write(stub, blob, DATA[:MIB], upload_id).committed_size_bytes == MIB
    assert write(stub, blob, DATA[MIB:], "upload-one", offset=MIB).complete
    assert write(stub, blob, DATA[MIB:], "upload-two", offset=MIB).complete
    assert list((store.root / "scratch").iterdir()) == []


def test_a_blob_that_is_there_is_not_taken_again(stub: Stub, store: LocalStore) -> None:
    blob = store.put_bytes(DATA)
    assert write(stub, blob, b"").complete


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64])
def test_what_names_no_blob_is_refused(stub: Stub, digest: str) -> None:
    bad = Blob(digest, 1)
    calls: list[Callable[[], object]] = [
        lambda: read(stub, bad),
        lambda: write(stub, bad, b"x"),
        lambda: query(stub, bad, "some-upload"),
        lambda: stub.FindMissingBlobs(blob_pb2.FindMissingBlobsRequest(blobs=[blob_to_proto(bad)])),
        lambda: read(stub, Blob("0" * 64, -1)),
    ]
    for call in calls:
        assert refused(call)[:2] == (INVALID, "INVALID_BLOB")


def test_absent_blobs_are_not_found(stub: Stub, store: LocalStore) -> None:
    present = store.put_bytes(b"present")
    for absent in (Blob("0" * 64, 3), Blob(present.digest, 3)):
        code, reason, details = refused(lambda blob=absent: read(stub, blob))
        assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "BLOB_NOT_FOUND")
        assert details["digests"] == absent.digest


def test_impossible_ranges_are_refused(stub: Stub, store: LocalStore) -> None:
    blob = store.put_bytes(b"abc")
    assert read(stub, blob, 3) == b""
    assert refused(lambda: read(stub, blob, 4))[:2] == (
        grpc.StatusCode.OUT_OF_RANGE,
        "BEYOND_END",
    )
    for offset, limit in ((-1, 0), (0, -1)):
        call = lambda at=offset, most=limit: read(stub, blob, at, most)  # noqa: E731
        assert refused(call)[:2] == (INVALID, "INVALID_RANGE")


@pytest.mark.parametrize("upload_id", ["short", "a" * 65, "../../../etc", "with space"])
def test_malformed_upload_names_are_refused(stub: Stub, upload_id: str) -> None:
    assert refused(lambda: write(stub, named(b"x"), b"x", upload_id))[1] == "INVALID_UPLOAD"


def test_an_upload_is_of_one_blob(stub: Stub) -> None:
    write(stub, named(DATA), DATA[:10], "taken-name")
    for call in (
        lambda: write(stub, named(b"x"), b"x", "taken-name"),
        lambda: query(stub, named(b"x"), "taken-name"),
        lambda: stub.WriteBlob(iter(())),
        lambda: stub.WriteBlob(
            message for _ in range(2) for message in messages(named(b"xx"), b"x", "again-named")
        ),
    ):
        assert refused(call)[:2] == (INVALID, "INVALID_UPLOAD")


def test_clients_are_limited(stub: Stub) -> None:
    code, reason, details = refused(lambda: write(stub, Blob("0" * 64, 64 * MIB + 1), b"x"))
    assert (code, reason, details["limit"]) == (INVALID, "BLOB_TOO_LARGE", str(64 * MIB))
    many = [blob_to_proto(named(b"x"))] * 101
    ask = blob_pb2.FindMissingBlobsRequest(blobs=many)
    code, reason, details = refused(lambda: stub.FindMissingBlobs(ask))
    assert (code, reason, details["limit"]) == (INVALID, "TOO_MANY_BLOBS", "100")
    for number in range(3):
        write(stub, named(DATA), DATA[:10], f"unfinished-{number}")
    code, reason, _ = refused(lambda: write(stub, named(DATA), DATA[:10], "one-too-many"))
    assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_UPLOADS")


def test_idle_uploads_make_way(serve: Serve, store: LocalStore) -> None:
    stub = Stub(serve(store, Limits(uploads=1, idle_seconds=0.0)).channel)
    write(stub, named(DATA), DATA[:10], "abandoned")
    assert write(stub, named(b"x"), b"x", "next-upload").complete
    assert query(stub, named(DATA), "abandoned").committed_size_bytes == 0
    assert list((store.root / "scratch").iterdir()) == []


def test_a_full_store_refuses_and_serves_on(serve: Serve, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "full", limit_bytes=MIB)
    stub = Stub(serve(store, Limits()).channel)
    code, reason, details = refused(lambda: write(stub, named(DATA), DATA))
    assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "STORE_FULL")
    assert (details["needed_bytes"], details["free_bytes"]) == (str(len(DATA)), str(MIB))
    assert write(stub, named(b"x"), b"x").complete


def test_stopping_forgets_unfinished_uploads(serve: Serve, store: LocalStore) -> None:
    server = serve(store, Limits())
    write(Stub(server.channel), named(DATA), DATA[:10])
    assert len(list((store.root / "scratch").iterdir())) == 1
    server.stop()
    assert list((store.root / "scratch").iterdir()) == []


def test_a_killed_servers_uploads_are_cleaned_away(serve_apart: ServeApart, tmp_path: Path) -> None:
    process, port = serve_apart(tmp_path, 0)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        write(Stub(channel), named(DATA), DATA[:MIB])
    process.kill()
    process.wait()
    store = LocalStore(tmp_path)
    assert store.used_bytes() == 0
    assert list((store.root / "scratch").iterdir()) == []
