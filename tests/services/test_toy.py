"""A framework outside the project: its whole adapter is a file, and all that is public works."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from ir_hub.blobs import LocalStore
from ir_hub.ir import serde
from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import Blob
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.build import Builder
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import OPSET
from ir_hub.sdk.client import AdapterClient, NamedBlob
from ir_hub.sdk.errors import (
    AdapterError,
    BadGraph,
    BadModel,
    BadRequest,
    BlobsMissing,
    OpsetSkew,
    RunFailed,
    UnsupportedNodes,
)
from tests.services.processes import Service

X = {"x": TensorType(DType.FLOAT32, (2, 3))}


def call(service: Service, use: Callable[[AdapterClient], Awaitable[object]]) -> object:
    async def called() -> object:
        async with AdapterClient(service.address, service.store, shares_store=True) as client:
            return await use(client)

    return asyncio.run(called())


def refused(
    service: Service, kind: type[AdapterError], use: Callable[[AdapterClient], Awaitable[object]]
) -> AdapterError:
    with pytest.raises(kind) as caught:
        call(service, use)
    return caught.value


def model_file(service: Service, text: bytes) -> list[NamedBlob]:
    return [NamedBlob("model.toy", service.store.put_bytes(text))]


def put_model(service: Service, *ops: str, opset: int = OPSET) -> Blob:
    assert set(ops) <= OPS.keys()
    b = Builder()
    value = b.input("x", DType.FLOAT32, (2, 3))
    for op in ops:
        value = b.call(op, value)
    b.graph.outputs = [value]
    put = service.store.put_bytes
    return put(serde.dump_bytes(Model(b.graph), put, opset))


def test_a_new_framework_costs_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = (Path(__file__).parent / "toy" / "adapter.py").read_text().splitlines()
    code = [line for line in lines if line.strip()]
    with capsys.disabled():
        print(f"\na new framework costs {len(code)} lines")
    assert len(code) < 100


def test_a_model_goes_through_and_comes_back_the_same(toy: Service) -> None:
    text = b"leaky 0.2\nrelu\ntanh"
    x = np.array([[-2, 0.5, 1], [3, -1, 0]], np.float32)

    async def use(client: AdapterClient) -> None:
        files = model_file(toy, text)
        parsed = await client.parse(files, X)
        written = await client.emit(parsed.model)
        assert [file.name for file in written.files] == ["model.toy"]
        assert toy.store.open(written.files[0].blob) == text
        for model in (files, written.files):
            outputs = await client.run(model, {"x": x})
            np.testing.assert_array_equal(outputs["y"], np.tanh(np.maximum(x, 0)))

    call(toy, use)
    assert toy.leftovers() == []


def test_a_store_of_ones_own_works_too(toy: Service, tmp_path: Path) -> None:
    own = LocalStore(tmp_path / "own")

    async def use() -> None:
        async with AdapterClient(toy.address, own, shares_store=False) as client:
            parsed = await client.parse([NamedBlob("m.toy", own.put_bytes(b"relu"))], X)
            written = await client.emit(parsed.model)
            outputs = await client.run(written.files, {"x": np.float32([[-1, 2]])})
            assert own.open(written.files[0].blob) == b"relu"
            assert outputs["y"].tolist() == [[0, 2]]

    asyncio.run(use())


def test_describe_says_what_there_is(toy: Service) -> None:
    said = call(toy, lambda client: client.describe())
    assert (said.framework, said.framework_version, said.opset) == ("toy", "1.0", OPSET)
    assert list(said.ops) == ["leaky_relu", "relu", "tanh"]
    assert said.reads[0].suffixes == [".toy"]


def test_every_unsupported_node_is_listed(toy: Service) -> None:
    text = b"relu\nwobble\ntanh\n" + b"\n".join(b"strange%d" % i for i in range(300))
    files = model_file(toy, text)
    error = refused(toy, UnsupportedNodes, lambda client: client.parse(files, X))
    assert [p.subject for p in error.problems] == ["wobble", *(f"strange{i}" for i in range(300))]


def test_nodes_that_cant_be_written_are_all_listed(toy: Service) -> None:
    model = put_model(toy, "sigmoid", "relu", "exp", "sigmoid")
    error = refused(toy, UnsupportedNodes, lambda client: client.emit(model))
    assert [p.subject for p in error.problems] == ["sigmoid", "exp", "sigmoid_1"]


def test_files_that_arent_models_are_refused(toy: Service) -> None:
    files = model_file(toy, b"\xff\xfe\x00")
    assert "isn't text" in str(refused(toy, BadModel, lambda client: client.parse(files, X)))
    files = model_file(toy, b"wobble")
    said = refused(toy, RunFailed, lambda client: client.run(files, {"x": np.ones(2)}))
    assert "no layer 'wobble'" in str(said)


@pytest.mark.parametrize("name", ["../model.toy", "/etc/passwd", "a//b", "", "a\\b", "a" * 256])
def test_file_names_stay_in_their_folder(toy: Service, name: str) -> None:
    blob = toy.store.put_bytes(b"relu")
    refused(toy, BadRequest, lambda client: client.parse([NamedBlob(name, blob)], X))


def test_options_are_checked(toy: Service) -> None:
    files = model_file(toy, b"relu")
    error = refused(toy, BadRequest, lambda client: client.parse(files, X, {"speed": "9"}))
    assert error.problems[0].subject == "options.speed"
    error = refused(toy, BadRequest, lambda client: client.emit(files[0].blob, "pt2"))
    assert "it writes: toy" in str(error)


def test_ir_is_checked(toy: Service) -> None:
    blob = toy.store.put_bytes(b"\x00 not protobuf")
    refused(toy, BadGraph, lambda client: client.emit(blob))
    newer = put_model(toy, "relu", opset=OPSET + 1)
    error = refused(toy, OpsetSkew, lambda client: client.emit(newer))
    assert error.metadata == {"given": str(OPSET + 1), "known": str(OPSET)}


def test_absent_blobs_are_named(toy: Service) -> None:
    lost = Blob("ab" * 32, 7)
    error = refused(toy, BlobsMissing, lambda client: client.emit(lost))
    assert error.metadata["digests"] == lost.digest
