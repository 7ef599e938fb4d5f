"""Chunks past protobuf: the same bytes on the wire, whatever else a message holds."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from ir_hub.blobs.chunks import WRITES
from irhub.blob.v1 import blob_pb2

Request = blob_pb2.WriteBlobRequest
SIZES = st.sampled_from([0, 1, 127, 128, 16_383, 16_384, 1 << 20])


@given(SIZES, st.sampled_from([bytes, bytearray, memoryview]))
def test_data_is_encoded_as_protobuf_does(size: int, kind: type) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert Request.FromString(WRITES.encode(kind(data))) == Request(data=data)
    assert WRITES.decode(Request(data=data).SerializeToString()) == data


@given(st.binary(max_size=300), st.text(max_size=9), st.integers(-1, 1 << 40))
def test_other_messages_are_decoded_by_protobuf(data: bytes, upload_id: str, offset: int) -> None:
    message = Request(data=data, upload_id=upload_id, write_offset=offset)
    found = WRITES.decode(message.SerializeToString())
    assert (Request(data=bytes(found)) if isinstance(found, memoryview) else found) == message
    assert WRITES.encode(message) == message.SerializeToString()


TWICE = Request(data=b"first").SerializeToString() + Request(data=b"second").SerializeToString()


def test_the_last_of_two_counts() -> None:
    found = WRITES.decode(TWICE)
    assert isinstance(found, Request)
    assert found.data == b"second"


@pytest.mark.parametrize(
    "raw", [b"\x22", b"\x22\x80", b"\x22\x05abc", b"\x22\xff\xff\xff\xff\x0f", b"\xff"]
)
def test_cut_messages_are_refused(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        WRITES.decode(raw)
