"""Errors keep their meaning on the wire, fit there, and are those that the contract promises."""

from __future__ import annotations

import re

import grpc
import pytest

from ir_hub.blobs import BlobNotFound, StoreFull
from ir_hub.ir.errors import BadIR
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.errors import (
    AdapterError,
    BadGraph,
    BlobsMissing,
    Busy,
    Internal,
    NoRoom,
    Problem,
    UnsupportedNodes,
)
from ir_hub.sdk.status import answer, fitted, from_status, to_status
from tests.services.processes import ROOT

CONTRACT = (ROOT / "protos/irhub/adapter/v1/adapter.proto").read_text()
PROMISED = sorted(set(re.findall(r"\* ([A-Z_]+), reason ([A-Z_]+):", CONTRACT)))


@pytest.mark.parametrize(("code", "reason"), PROMISED)
def test_each_promised_reason_has_its_code(code: str, reason: str) -> None:
    kinds = {kind.reason: kind for kind in AdapterError.__subclasses__()}
    error = AdapterError.__new__(kinds[reason])
    AdapterError.__init__(error, "text", [Problem("a", "b")], {"key": "value"})
    status = to_status(error)
    assert status.code == grpc.StatusCode[code].value[0]
    back = from_status(status)
    assert type(back) is kinds[reason]
    assert (str(back), back.problems, back.metadata) == ("text", error.problems, error.metadata)


def test_there_are_promises() -> None:
    assert len(PROMISED) >= 8


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (BadIR("node 3"), BadGraph),
        (BlobNotFound(["ab" * 32], "here"), BlobsMissing),
        (StoreFull("here", 9, 4, "the disk"), NoRoom),
        (ZeroDivisionError("x"), Internal),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_what_is_raised_below_has_an_answer(raised: Exception, kind: type[AdapterError]) -> None:
    assert type(answer(raised)) is kind
    assert type(from_status(to_status(raised))) is kind


def test_retry_information_survives() -> None:
    back = from_status(to_status(Busy("full", metadata={"retry_seconds": "2.5"})))
    assert isinstance(back, Busy)
    assert back.retry_seconds == 2.5


def test_reasons_of_a_newer_service_are_kept() -> None:
    error = AdapterError("new")
    error.reason = "NEWER"
    assert from_status(to_status(error)).reason == "NEWER"


@pytest.mark.parametrize("letter", ["a", "ä", "漢", "😀"])
def test_any_error_fits_into_trailers(letter: str) -> None:
    stored: list[bytes] = []

    def put(data: bytes) -> Blob:
        stored.append(data)
        return Blob("0" * 64, len(data))

    error = UnsupportedNodes("toy", [Problem(f"n{i}", letter * 200) for i in range(1000)])
    short = fitted(error, put)
    status = to_status(short)
    escaped = sum(1 if c.isascii() else 3 * len(c.encode()) for c in status.message)
    assert status.ByteSize() * 4 // 3 + escaped < 8000
    assert short.problems
    assert short.metadata["problem_count"] == "1000"
    assert len(stored) == 1


def test_a_small_error_is_left_as_it_is() -> None:
    error = UnsupportedNodes("toy", [Problem("n", "d")])
    short = fitted(error, lambda data: pytest.fail("nothing has to be stored"))
    assert (str(short), short.problems) == (str(error), error.problems)
