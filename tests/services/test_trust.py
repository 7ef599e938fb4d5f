"""Code is run only where it was written, whoever sends it; over real services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ir_hub.blobs import LocalStore
from ir_hub.sdk.client import NamedBlob, Written
from ir_hub.sdk.errors import UntrustedCode
from irhub.hub.v1 import hub_pb2
from tests.services.conftest import Start
from tests.services.hubs import Hub, State, rows, start_hub
from tests.services.processes import Service, start
from tests.services.test_toy import call, put_model, refused

MODULE = "tests.services.coding"
X = {"x": np.float32([[-1, 2, 3], [4, -5, 6]])}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = start(MODULE, tmp_path_factory.mktemp("coding"))
    yield service
    service.process.terminate()
    service.process.wait(10)


def emitted(service: Service) -> Written:
    model = put_model(service, "relu")
    return call(service, lambda client: client.emit(model))


def strange(service: Service, trace: Path, name: str = "model.py") -> list[NamedBlob]:
    """Code that leaves a trace when it is run."""
    code = f"open({str(trace)!r}, 'w')\nLAYERS = ['relu']\n"
    return [NamedBlob(name, service.store.put_bytes(code.encode()))]


def runs(service: Service, files: list[NamedBlob]) -> bool:
    found = call(service, lambda client: client.run(files, X))
    return np.array_equal(found["y"], np.maximum(X["x"], 0))


def test_what_was_emitted_is_run(service: Service) -> None:
    assert runs(service, list(emitted(service).files))


def test_strange_code_is_not_run(service: Service, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    ours = list(emitted(service).files)
    assert runs(service, ours)
    theirs = strange(service, trace)
    beside = [*ours, *strange(service, trace, "more/layers.py")]
    for files, name in ((theirs, "model.py"), (beside, "more/layers.py")):
        error = refused(service, UntrustedCode, lambda client, files=files: client.run(files, X))
        assert [problem.subject for problem in error.problems] == [name]
        assert "--allow-code" in str(error)
    assert not trace.exists()


def test_strange_code_is_run_where_that_is_allowed(start_service: Start, tmp_path: Path) -> None:
    service = start_service(MODULE, "--allow-code")
    assert runs(service, strange(service, tmp_path / "trace"))
    assert (tmp_path / "trace").exists()


def test_the_same_code_under_another_name_is_known(service: Service) -> None:
    code = emitted(service).files[0].blob
    assert runs(service, [NamedBlob("elsewhere/net.py", code)])


def test_data_that_was_emitted_is_not_trusted_as_code(service: Service) -> None:
    data = emitted(service).files[1]
    assert data.name == "model.toy"
    disguised = [NamedBlob("model.py", data.blob)]
    refused(service, UntrustedCode, lambda client: client.run(disguised, X))


def test_trust_survives_a_restart(tmp_path: Path) -> None:
    first = start(MODULE, tmp_path)
    files = list(emitted(first).files)
    first.process.kill()
    first.process.wait(10)
    second = start(MODULE, tmp_path)
    try:
        assert runs(second, files)
    finally:
        second.process.terminate()
        second.process.wait(10)


def test_pruning_removes_code_and_trust(service: Service) -> None:
    files = list(emitted(service).files)
    kept = [service.store.open(file.blob).tobytes() for file in files]
    service.store.prune(0, older_than=-60)
    assert not list((service.store.root / "trusted").iterdir())
    again = [
        NamedBlob(f.name, service.store.put_bytes(c)) for f, c in zip(files, kept, strict=True)
    ]
    refused(service, UntrustedCode, lambda client: client.run(again, X))
    assert runs(service, list(emitted(service).files))


def toy_to_code(hub: Hub, **said: object) -> hub_pb2.ConversionSpec:
    file = hub.put(b"relu\ntanh", "model.toy")
    return hub_pb2.ConversionSpec(files=[file], target="coding", inputs={"x": rows()}, **said)


@pytest.mark.parametrize("shared", [True, False], ids=["shared store", "own stores"])
def test_conversions_whose_code_is_known_from_earlier(tmp_path: Path, shared: bool) -> None:
    home, own = tmp_path / "hub", tmp_path / "own"
    own.mkdir()
    toy = start("tests.services.toy.adapter", tmp_path)
    service = start(MODULE, own, *(("--store", str(home / "store")) if shared else ()))
    store = LocalStore(home / "store") if shared else service.store
    adapters = f"--adapters=toy={toy.address},coding={service.address}"
    hub = start_hub(home, adapters)
    try:
        assert hub.convert(toy_to_code(hub, skip_check=True)).state == State.STATE_SUCCEEDED
        store.prune(0, older_than=-60)
        assert not list((store.root / "trusted").iterdir())
        done = hub.convert(toy_to_code(hub))
        assert done.state == State.STATE_SUCCEEDED, done.failure
        assert done.comparison.equal
        known = {stage.name: stage.cached for stage in done.stages}
        assert known["emit"] is not shared
    finally:
        hub.stop()
        for each in (toy, service):
            each.process.terminate()
            each.process.wait(10)
