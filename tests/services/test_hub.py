"""The hub's contract, over the wire, with real adapters in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from ir_hub.blobs.wire import blob_to_proto
from ir_hub.ir import serde
from ir_hub.ir.graph import Model
from ir_hub.ops.build import Builder
from ir_hub.ops.op import OPSET
from ir_hub.sdk.errors import AdapterError, BadRequest, BlobsMissing
from ir_hub.sdk.tensors import write_arrays
from irhub.adapter.v1 import adapter_pb2
from irhub.blob.v1 import blob_pb2
from irhub.hub.v1 import hub_pb2
from tests.services.hubs import Hub, State, gelu_model, ir_file, put_model, rows, start_hub
from tests.services.processes import Service, start

Spec = hub_pb2.ConversionSpec
TOY = b"relu\nleaky 0.2\ntanh"


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Service]]:
    modules = {"toy": "toy.adapter", "misbehaving": "misbehaving", "liar": "liar"}
    services = {
        name: start(f"tests.services.{module}", tmp_path_factory.mktemp(name))
        for name, module in modules.items()
    }
    yield services
    for service in services.values():
        service.process.terminate()
        service.process.wait(10)


@pytest.fixture(scope="module")
def hub(adapters: dict[str, Service], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    addresses = ",".join(f"{name}={service.address}" for name, service in adapters.items())
    hub = start_hub(
        tmp_path_factory.mktemp("hub"),
        f"--adapters={addresses},gone=127.0.0.1:1",
        "--adapter-seconds=0.5",
        "--waiting=3",
    )
    yield hub
    assert hub.stop() == 0


@pytest.fixture
def toy_spec(hub: Hub) -> Callable[..., Spec]:
    def spec(target: str = "ir", content: bytes = TOY, **said: object) -> Spec:
        return Spec(
            files=[hub.put(content, "model.toy")], target=target, inputs={"x": rows()}, **said
        )

    return spec


@pytest.fixture
def hanging(hub: Hub) -> Iterator[hub_pb2.Conversion]:
    """A conversion that doesn't end by itself."""
    spec = Spec(files=[hub.put(b"hang", "model.deed")], target="ir", inputs={"x": rows()})
    conversion = hub.client.create(spec)
    yield conversion
    with suppress(AdapterError):  # the test may have deleted it
        hub.client.cancel(conversion.name)


def stages(conversion: hub_pb2.Conversion, state: hub_pb2.Stage.State.ValueType) -> list[str]:
    return [stage.name for stage in conversion.stages if stage.state == state]


def refused(call: Callable[[], object]) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        call()
    return caught.value


def test_ir_to_ir_recovers_and_proves(hub: Hub) -> None:
    done = hub.convert(Spec(files=[ir_file(hub)], source="ir", target="ir"))
    assert done.state == State.STATE_SUCCEEDED
    assert dict(done.summary.recovered) == {"linear": 1, "gelu": 1}
    assert (done.summary.nodes_in, done.summary.nodes_out) == (7, 2)
    assert done.summary.parameters == 8 * 16 + 16
    assert stages(done, hub_pb2.Stage.STATE_SKIPPED) == ["relay", "lower"]
    assert done.comparison.equal
    assert [entry.inputs for entry in done.comparison.outputs] == [
        ["x: float32[1, 8]"],
        ["x: float32[2, 8]"],
    ]


def test_result_of_ir_is_a_source(hub: Hub) -> None:
    first = hub.convert(Spec(files=[ir_file(hub)], source="ir", target="ir"))
    assert [file.name for file in first.files] == ["gelu.ir"]
    again = hub.convert(Spec(files=first.files, target="ir"))
    assert again.state == State.STATE_SUCCEEDED, again.failure
    assert [file.blob for file in again.files] == [file.blob for file in first.files]


def test_adapter_to_adapter(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    done = hub.convert(toy_spec("toy"))
    assert done.state == State.STATE_SUCCEEDED, done.failure
    (file,) = done.files
    assert hub.client.read(file.blob) == b"relu\nleaky 0.2\ntanh"
    assert done.comparison.equal
    assert {entry.run for entry in done.comparison.outputs} == {0, 1}


def test_second_conversion_is_known(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    spec = toy_spec("toy", b"tanh\ntanh\nrelu")
    assert not any(stage.cached for stage in hub.convert(spec).stages)
    again = hub.convert(spec)
    done = [stage for stage in again.stages if stage.state == hub_pb2.Stage.STATE_DONE]
    assert all(stage.cached for stage in done)
    assert again.comparison.equal


def test_results_that_were_evicted_are_made_anew(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    spec = toy_spec("toy", b"relu\ntanh\nrelu\n")
    first = hub.convert(spec)
    hub.client.store.path(first.files[0].blob.digest).unlink()
    again = hub.convert(spec)
    assert again.state == State.STATE_SUCCEEDED, again.failure
    assert {stage.name: stage.cached for stage in again.stages}["emit"] is False
    assert hub.client.read(again.files[0].blob) == b"relu\ntanh\nrelu"


def test_mismatch_fails_and_delivers_nothing(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    done = hub.convert(toy_spec("liar"))
    assert done.state == State.STATE_FAILED
    assert (done.failure.stage, done.failure.reason) == ("compare", "MISMATCH")
    assert not done.files
    assert not done.comparison.equal
    assert done.comparison.max_error == pytest.approx(0.01, rel=0.05)
    assert hub.client.report(done)["failure"]["reason"] == "MISMATCH"


def test_mismatch_is_delivered_marked_on_request(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    done = hub.convert(toy_spec("liar", allow_mismatch=True))
    assert done.state == State.STATE_SUCCEEDED
    assert done.files
    assert any("MISMATCH" in note for note in done.notes)


def test_check_can_be_left_out(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    done = hub.convert(toy_spec("liar", skip_check=True))
    assert done.state == State.STATE_SUCCEEDED
    assert not done.HasField("comparison")
    assert "compare" in stages(done, hub_pb2.Stage.STATE_SKIPPED)


def test_given_inputs_are_compared_with(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    arrays = {"y0": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)}
    values = write_arrays(arrays, hub.client.store)
    done = hub.convert(toy_spec("toy", check_inputs=values))
    assert [entry.inputs for entry in done.comparison.outputs] == [["y0: float32[3, 4]"]]
    assert done.comparison.equal


def test_outputs_that_prove_little_are_noted(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    zeros = write_arrays({"y0": np.full((2, 4), -1, np.float32)}, hub.client.store)
    done = hub.convert(toy_spec("toy", b"relu", check_inputs=zeros))
    assert any("every element" in note and "zero" in note for note in done.notes)


def test_report_has_everything(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    report = hub.client.report(hub.convert(toy_spec("toy")))
    assert report["state"] == "succeeded"
    assert report["versions"]["target"]["name"] == "toy"
    assert [stage["name"] for stage in report["stages"]][-1] == "compare"
    assert report["comparison"]["equal"] is True
    assert report["files"][0]["blob"]["size_bytes"] == len(TOY)
    assert report["comparison"]["outputs"][0]["shape"] == [1, 4]
    assert report["summary"]["transposes"] == report["summary"]["parameters"] == 0


def test_every_wrong_field_is_named(hub: Hub) -> None:
    file = adapter_pb2.File(name="../a", blob=blob_pb2.Blob(digest="zz"))
    spec = Spec(files=[file], source="No!", inputs={"x": hub_pb2.ConversionSpec().inputs["y"]})
    error = refused(lambda: hub.client.create(spec, "spaces are wrong"))
    assert isinstance(error, BadRequest)
    assert [problem.subject for problem in error.problems] == [
        "spec.files[0].name",
        "spec.files[0].blob",
        "spec.source",
        "spec.target",
        "spec.inputs[x]",
        "request_id",
    ]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda client: client.get("conversions/1"), "name"),
        (lambda client: client.page("nonsense"), "page_token"),
        (lambda client: client.inspect([]), "files"),
    ],
)
def test_wrong_requests_name_the_field(
    hub: Hub, call: Callable[[object], object], field: str
) -> None:
    error = refused(lambda: call(hub.client))
    assert (error.reason, [p.subject for p in error.problems]) == ("BAD_REQUEST", [field])


def test_the_ir_has_no_order_of_axes_of_its_own(hub: Hub) -> None:
    spec = Spec(files=[ir_file(hub)], target="ir", io_layout=Spec.IO_LAYOUT_NATIVE)
    error = refused(lambda: hub.client.create(spec))
    assert [problem.subject for problem in error.problems] == ["spec.io_layout"]


def test_unknown_conversion(hub: Hub) -> None:
    name = f"conversions/{'0' * 16}"
    for call in (hub.client.get, hub.client.cancel, hub.client.delete):
        assert refused(lambda call=call: call(name)).reason == "CONVERSION_NOT_FOUND"
    assert refused(lambda: list(hub.client.watch(name))).reason == "CONVERSION_NOT_FOUND"


def test_missing_blobs_are_listed(hub: Hub) -> None:
    blob = blob_pb2.Blob(digest="ab" * 32, size_bytes=3)
    spec = Spec(files=[adapter_pb2.File(name="m.toy", blob=blob)], target="ir")
    error = refused(lambda: hub.client.create(spec))
    assert isinstance(error, BlobsMissing)
    assert error.metadata["digests"] == blob.digest


def test_no_adapter(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    unread = Spec(files=[hub.put(b"x", "model.xyz")], target="ir")
    error = refused(lambda: hub.client.create(unread))
    assert error.reason == "NO_ADAPTER"
    assert ".toy" in str(error)
    assert "No answer, so perhaps they would, from: gone." in str(error)
    error = refused(lambda: hub.client.create(toy_spec("keras")))
    assert error.reason == "NO_ADAPTER"
    assert "toy" in error.metadata["adapters"].split(",")


def test_adapter_that_does_not_answer(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    done = hub.convert(toy_spec("gone"))
    assert done.failure.reason == "UNAVAILABLE"
    assert "127.0.0.1:1" in done.failure.message


def test_request_id_makes_create_safe_to_repeat(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    first = hub.client.create(toy_spec(), "request-1")
    assert hub.client.create(toy_spec(), "request-1").name == first.name
    other = refused(lambda: hub.client.create(toy_spec(content=b"tanh"), "request-1"))
    assert other.reason == "REQUEST_ID_USED"
    list(hub.client.watch(first.name))
    assert hub.client.create(toy_spec(), "request-1").state == State.STATE_SUCCEEDED


def test_a_model_without_outputs_is_refused_at_once(hub: Hub) -> None:
    blob = put_model(Model(Builder().graph), hub.client.store)
    file = adapter_pb2.File(name="empty.binpb", blob=blob_to_proto(blob))
    done = hub.convert(Spec(files=[file], source="ir", target="ir"))
    assert (done.failure.stage, done.failure.reason) == ("check", "BAD_MODEL")
    assert "no outputs" in done.failure.message


def test_two_equal_conversions_at_once_work_once(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    spec = toy_spec("toy", b"tanh\nrelu\ntanh\ntanh")
    names = [hub.client.create(spec).name for _ in range(2)]
    one, other = (list(hub.client.watch(name))[-1] for name in names)
    assert one.files == other.files
    cached = [a.cached + b.cached for a, b in zip(one.stages, other.stages, strict=True)]
    assert cached == [1] * len(one.stages)


def test_unsupported_nodes_are_all_listed(hub: Hub) -> None:
    done = hub.convert(Spec(files=[ir_file(hub)], source="ir", target="toy"))
    assert (done.failure.stage, done.failure.reason) == ("emit", "UNSUPPORTED")
    assert len(done.failure.problems) >= 2


def test_broken_source(hub: Hub) -> None:
    done = hub.convert(Spec(files=[hub.put(b"\xff\xfe", "m.toy")], target="ir"))
    assert (done.failure.stage, done.failure.reason) == ("parse", "BAD_MODEL")
    done = hub.convert(Spec(files=[hub.put(b"garbage", "m.ir")], source="ir", target="ir"))
    assert (done.failure.stage, done.failure.reason) == ("check", "BAD_IR")


def test_watch_ends_with_the_conversion(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    seen = list(hub.client.watch(hub.client.create(toy_spec(content=b"relu\nrelu")).name))
    assert seen[-1].state == State.STATE_SUCCEEDED
    assert all(conversion.state < State.STATE_SUCCEEDED for conversion in seen[:-1])
    assert seen[-1].HasField("end_time")
    assert seen[-1].report.digest


def test_cancel_stops_the_work(
    hub: Hub, adapters: dict[str, Service], hanging: hub_pb2.Conversion
) -> None:
    updates = hub.client.watch(hanging.name)
    next(u for u in updates if any(s.message == "hanging" for s in u.stages))
    assert hub.client.cancel(hanging.name).state == State.STATE_CANCELLED
    assert hub.client.cancel(hanging.name).state == State.STATE_CANCELLED
    spec = Spec(files=[hub.put(b"do_nothing", "m.deed")], target="ir", inputs={"x": rows()})
    assert hub.convert(spec).failure.stage != "parse"


def test_running_conversions_cannot_be_deleted(hub: Hub, hanging: hub_pb2.Conversion) -> None:
    assert refused(lambda: hub.client.delete(hanging.name)).reason == "STILL_RUNNING"
    hub.client.cancel(hanging.name)
    hub.client.delete(hanging.name)
    assert refused(lambda: hub.client.get(hanging.name)).reason == "CONVERSION_NOT_FOUND"


def test_only_so_many_may_wait(hub: Hub) -> None:
    spec = Spec(files=[hub.put(b"hang", "m.deed")], target="ir", inputs={"x": rows()})
    taken = [hub.client.create(spec) for _ in range(5)]
    try:
        error = refused(lambda: hub.client.create(spec))
        assert error.reason == "BUSY"
        assert [hub.client.get(c.name).state for c in taken[2:]] == [State.STATE_QUEUED] * 3
    finally:
        for conversion in reversed(taken):
            cancelled = hub.client.cancel(conversion.name)
            assert cancelled.state == State.STATE_CANCELLED


def test_list_pages_newest_first(hub: Hub, toy_spec: Callable[..., Spec]) -> None:
    names = [hub.convert(toy_spec(skip_check=True)).name for _ in range(3)]
    first_page = hub.client.page("")
    assert [c.name for c in first_page.conversions[:3]] == names[::-1]
    everything = [conversion.name for conversion in hub.client.list()]
    assert len(everything) == len(set(everything))
    assert everything[:3] == names[::-1]


def test_list_adapters_says_who_does_not_answer(hub: Hub) -> None:
    found = {status.framework: status for status in hub.client.adapters()}
    assert sorted(found) == ["gone", "liar", "misbehaving", "toy"]
    assert found["toy"].healthy
    assert "leaky_relu" in found["toy"].description.ops
    assert not found["gone"].healthy
    assert "See that it runs there" in found["gone"].problem


def test_inspect(hub: Hub) -> None:
    found = hub.client.inspect([ir_file(hub)], "ir")
    assert found.ops["erf"] == 1
    assert found.parameters == 8 * 16 + 16
    assert "%y[N, 16] = mul(" in hub.client.read(found.text).decode()
    recovered = hub.client.inspect([ir_file(hub)], "ir", recover=True)
    assert dict(recovered.ops) == {"linear": 1, "gelu": 1}


def test_recover_model(hub: Hub) -> None:
    found = hub.client.recover(put_model(gelu_model(), hub.client.store))
    assert dict(found.recovered) == {"linear": 1, "gelu": 1}
    model = serde.load_bytes(hub.client.read(found.model), hub.client.store.open, OPSET)
    assert [node.op for node in model.graph.nodes] == ["linear", "gelu"]


def test_recover_model_of_another_op_set(hub: Hub) -> None:
    store = hub.client.store
    blob = store.put_bytes(serde.dump_bytes(gelu_model(), store.put_bytes, OPSET + 1))
    error = refused(lambda: hub.client.recover(blob))
    assert error.reason == "VERSION_SKEW"
    assert error.metadata == {"given": str(OPSET + 1), "known": str(OPSET)}


def test_health_and_reflection(hub: Hub) -> None:
    with grpc.insecure_channel(hub.client.address) as channel:
        request = health_pb2.HealthCheckRequest(service="irhub.hub.v1.HubService")
        assert health_pb2_grpc.HealthStub(channel).Check(request).status == 1
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = stub.ServerReflectionInfo(iter([asked]))
        names = {service.name for service in answer.list_services_response.service}
        assert {"irhub.hub.v1.HubService", "irhub.blob.v1.BlobService"} <= names
