"""What dies, and what is left: the hub, its workers, an adapter's, the room in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ir_hub.blobs import LocalStore
from ir_hub.client import HubClient
from ir_hub.hub.plan import STAGES
from ir_hub.sdk.errors import NoRoom
from irhub.hub.v1 import hub_pb2
from tests.services.conftest import Start
from tests.services.hubs import Hub, State, ir_file, launch, rows, start_hub
from tests.services.processes import Service, command, eventually, start

Spec = hub_pb2.ConversionSpec
StartHub = Callable[..., Hub]


@pytest.fixture(scope="module")
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = start("tests.services.misbehaving", tmp_path_factory.mktemp("misbehaving"))
    yield service
    service.process.terminate()
    service.process.wait(10)


@pytest.fixture
def run_hub(misbehaving: Service, tmp_path: Path) -> Iterator[StartHub]:
    """Starts hubs on one folder, one after the other."""
    hubs: list[Hub] = []

    def run(*flags: str) -> Hub:
        adapters = f"--adapters=misbehaving={misbehaving.address}"
        hubs.append(start_hub(tmp_path / "hub", adapters, *flags))
        return hubs[-1]

    yield run
    for hub in hubs:
        if hub.process.poll() is None:
            hub.stop()


def deed(hub: Hub, name: str, **said: object) -> Spec:
    """A conversion during whose parse the adapter does something."""
    file = hub.put(name.encode(), "model.deed")
    return Spec(files=[file], target="ir", inputs={"x": rows()}, skip_check=True, **said)


def until_running(hub: Hub, name: str, message: str) -> None:
    for conversion in hub.client.watch(name):
        if any(message in stage.message for stage in conversion.stages):
            return
    pytest.fail(f"{name} ended before it said {message!r}")


def workers(hub: Hub) -> list[psutil.Process]:
    children = psutil.Process(hub.process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in command(child)]


def test_killed_hub_goes_on_at_restart(run_hub: StartHub) -> None:
    hub = run_hub()
    name = hub.client.create(deed(hub, "talk"), "only-once").name
    until_running(hub, name, "step")
    hub.kill()
    hub = run_hub()
    (done,) = [c for c in hub.client.list() if c.name == name]
    done = list(hub.client.watch(name))[-1]
    assert done.state == State.STATE_SUCCEEDED, done.failure
    assert [stage.name for stage in done.stages] == list(STAGES)
    assert hub.client.create(deed(hub, "talk"), "only-once").name == name
    assert len(list(hub.client.list())) == 1


def test_stages_that_were_done_are_not_done_again(run_hub: StartHub) -> None:
    hub = run_hub()
    first = hub.convert(deed(hub, "talk"))
    hub.kill()
    hub = run_hub()
    again = hub.convert(deed(hub, "talk"))
    assert [file.blob for file in again.files] == [file.blob for file in first.files]
    done = [stage for stage in again.stages if stage.state == hub_pb2.Stage.STATE_DONE]
    assert all(stage.cached for stage in done)


def test_stopped_hub_leaves_the_rest_to_the_next(run_hub: StartHub) -> None:
    hub = run_hub("--drain-seconds=0.2")
    name = hub.client.create(deed(hub, "talk")).name
    until_running(hub, name, "step")
    assert hub.stop() == 0
    hub = run_hub()
    assert list(hub.client.watch(name))[-1].state == State.STATE_SUCCEEDED


def test_restarted_hub_waits_for_its_adapter(start_service: Start, tmp_path: Path) -> None:
    adapter = start_service("tests.services.misbehaving")
    flag = f"--adapters=misbehaving={adapter.address}"
    hub = start_hub(tmp_path / "hub", flag)
    name = hub.client.create(deed(hub, "talk")).name
    until_running(hub, name, "step")
    adapter.process.kill()
    adapter.process.wait(10)
    hub.kill()
    hub = start_hub(tmp_path / "hub", flag)
    log = hub.folder / "log"
    assert eventually(lambda: "waiting for adapter" in log.read_text(), 20)
    (status,) = hub.client.adapters()
    assert not status.healthy
    assert hub.client.get(name).state == State.STATE_RUNNING
    start_service("tests.services.misbehaving", "--address", adapter.address)
    done = list(hub.client.watch(name))[-1]
    assert done.state == State.STATE_SUCCEEDED, done.failure
    assert hub.stop() == 0


def test_conversion_that_hubs_die_of_is_given_up(run_hub: StartHub) -> None:
    hub = run_hub()
    name = hub.client.create(deed(hub, "hang")).name
    for _ in range(3):
        until_running(hub, name, "hanging")
        hub.kill()
        hub = run_hub()
    done = list(hub.client.watch(name))[-1]
    assert (done.state, done.failure.reason) == (State.STATE_FAILED, "INTERRUPTED")
    assert "3 hubs" in done.failure.message


def test_source_that_vanished_is_reported_at_restart(run_hub: StartHub) -> None:
    hub = run_hub()
    spec = deed(hub, "hang")
    name = hub.client.create(spec).name
    until_running(hub, name, "hanging")
    path = hub.client.store.path(spec.files[0].blob.digest)
    hub.kill()
    path.unlink()
    hub = run_hub()
    done = list(hub.client.watch(name))[-1]
    assert done.failure.reason == "BLOB_NOT_FOUND"


def test_killed_hub_workers_are_replaced(run_hub: StartHub) -> None:
    hub = run_hub()
    for worker in workers(hub):
        worker.kill()
    assert hub.convert(Spec(files=[ir_file(hub)], source="ir", target="ir")).comparison.equal


def test_workers_do_not_outlive_the_hub(run_hub: StartHub) -> None:
    hub = run_hub()
    before = workers(hub)
    assert before
    hub.kill()
    assert eventually(lambda: not any(worker.is_running() for worker in before))


def test_full_store(run_hub: StartHub) -> None:
    hub = run_hub("--store-bytes=2000")
    spec = Spec(files=[ir_file(hub)], source="ir", target="ir")
    done = hub.convert(spec)
    assert done.failure.reason == "STORE_FULL", done
    assert hub.convert(spec).failure.reason == "STORE_FULL"


def test_full_store_refuses_uploads(run_hub: StartHub, tmp_path: Path) -> None:
    hub = run_hub("--store-bytes=1000")
    big = tmp_path / "big.toy"
    big.write_bytes(bytes(5000))
    small = tmp_path / "small.toy"
    small.write_bytes(b"relu")
    # A client elsewhere, which has to send what it gives.
    with HubClient(hub.client.address, LocalStore(tmp_path / "own")) as client:
        with pytest.raises(NoRoom, match="full"):
            client.upload([big])
        assert client.upload([small])


def test_database_has_one_hub(run_hub: StartHub) -> None:
    hub = run_hub()
    other = launch(hub.folder)
    assert other.wait(30) == 1
    assert "Another hub uses" in (hub.folder / "log").read_text()
