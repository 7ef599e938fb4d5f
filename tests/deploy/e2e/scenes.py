"""What is tried in containers: a chain of conversions, replicas, lost containers, memory limits."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import streams
from tests.deploy.e2e import chart, credentials
from tests.deploy.e2e.chart import Pod
from tests.deploy.e2e.cluster import Cluster
from tests.deploy.e2e.machine import Podman, Report

TAG = "e2e"
_VALUES: Mapping[str, Any] = {
    "image": {"prefix": "localhost/irhub", "tag": TAG},
    "adapterDefaults": {"replicas": 1, "autoscaling": {"enabled": False}},
}
_STREAMED = {
    **_VALUES,
    "tls": {"mutual": True},
    "tokens": {"secret": "irhub-tokens"},
    "adapters": {"pytorch": {"replicas": 2}},
}
# MXNet holds a whole model in memory: a small one fits into this, a large one doesn't.
_SHARED = {
    **_VALUES,
    "tls": {"enabled": False},
    "store": {"shared": True},
    "adapters": {"mxnet": {"memoryMiB": 760, "frontMiB": 384}},
}
_CLIENT = Path(__file__).with_name("client.py")
_STREAMS = Path(streams.__file__)
_LARGE = 2600  # channels: 240 MB of weights
_SMALL = 16
_PORT = 50051


@dataclass(frozen=True)
class Stage:
    """A running cluster, and what scenes see of it."""

    cluster: Cluster
    helm_test: Pod
    client_image: str
    report: Report

    def script(self, path: Path, *arguments: str, name: str = "") -> subprocess.Popen[str]:
        """A script that runs in a container as a client's."""
        return self.cluster.script(self.helm_test, self.client_image, path, *arguments, name=name)

    def lines(self, *arguments: str) -> Iterator[dict[str, Any]]:
        """What the client says, line by line, while it runs."""
        with self.script(_CLIENT, *arguments) as process:
            assert process.stdout
            for line in process.stdout:
                said = json.loads(line)
                if "stage" not in said:
                    self.report("    " + ", ".join(f"{key} {said[key]}" for key in said))
                yield said

    def client(self, *arguments: str) -> list[dict[str, Any]]:
        """All that the client says."""
        return list(self.lines(*arguments))


Scene = Callable[[Stage], bool]


def helm_test(stage: Stage) -> bool:
    """What `helm test` runs finds that every adapter answers the hub."""
    status, said = stage.cluster.once(stage.helm_test)
    stage.report(f"    {said}")
    return status == 0


def chain(stage: Stage) -> bool:
    """ONNX -> PyTorch -> Keras -> MXNet -> ONNX computes what it did."""
    *links, last = stage.client("chain")
    return len(links) == 4 and last.get("max_error", 1.0) <= last.get("allowed", 0.0)


def replicas(stage: Stage) -> bool:
    """Conversions at once use both replicas of an adapter, and go on when one is lost."""
    found = stage.client("many", "pytorch", "4")
    calls = [stage.cluster.logs(f"irhub-pytorch-{n}").count('"call"') for n in range(2)]
    stage.report(f"    calls by replica: {calls}")
    stage.cluster.kill("irhub-pytorch-0")
    found += stage.client("many", "pytorch", "2")
    return len(found) == 6 and all(calls) and all(each["state"] == "SUCCEEDED" for each in found)


def lost_adapter(stage: Stage) -> bool:
    """An adapter that is killed while it works fails that conversion clearly, and no other."""
    last: dict[str, Any] = {}
    for last in stage.lines("convert", "tensorflow", str(_SMALL)):
        if last.get("stage") == "emit":
            stage.cluster.kill("irhub-tensorflow-0")
    clear = last.get("reason") == "UNAVAILABLE" and "tensorflow" in last["message"]
    stage.cluster.restart("irhub-tensorflow-0")
    (*_, again) = stage.client("convert", "tensorflow", str(_SMALL))
    return clear and again["state"] == "SUCCEEDED"


def memory(stage: Stage) -> bool:
    """A model that takes more than a container may is refused with the figure; the next works."""
    (*_, large) = stage.client("convert", "mxnet", str(_LARGE))
    clear = large.get("reason") == "WORKER_CRASHED" and "memory" in large["message"]
    (*_, small) = stage.client("convert", "mxnet", str(_SMALL))
    return clear and small["state"] == "SUCCEEDED"


def streaming(stage: Stage) -> bool:
    """A gigabyte into the hub and out of it, beside bare gRPC between two containers."""
    with stage.script(_STREAMS, "bare", f"0.0.0.0:{_PORT}", name="bare"):
        with stage.script(_STREAMS, "turns", f"irhub-hub:{_PORT}", f"bare:{_PORT}") as process:
            said, _ = process.communicate()
        stage.cluster.kill("bare")
    if process.returncode:
        return False
    seconds = json.loads(said)
    for way in ("upload", "download"):
        ours, bare_ = (seconds[f"{way}, {whose}"] for whose in ("ours", "bare"))
        speed = streams.CHUNKS / ours
        stage.report(f"    {way}: {speed:.0f} MiB/s, {bare_ / ours:.2f} of a bare stream's")
    return True


def drain(stage: Stage) -> bool:
    """SIGTERM ends every service by itself, with status 0."""
    statuses = {name: stage.cluster.stop(name) for name in stage.cluster.names()}
    stage.report(f"    exit status: {statuses}")
    return not any(statuses.values())


_ACTS: Mapping[str, tuple[Mapping[str, Any], tuple[Scene, ...]]] = {
    "mutual TLS and a token, blobs streamed": (
        _STREAMED,
        (helm_test, chain, replicas, lost_adapter),
    ),
    "no TLS, one volume shared": (_SHARED, (helm_test, chain, streaming, memory, drain)),
}


def play(podman: Podman, helm: str, folder: Path, report: Report) -> list[str]:
    """Plays every scene; the names of those that failed."""
    failed = []
    for title, (values, scenes) in _ACTS.items():
        with Cluster(podman, folder) as cluster:
            report(f"== {title}: starting")
            documents = chart.rendered(helm, values)
            pods = chart.services(documents, folder)
            credentials.write(folder / "secrets", [pod.name for pod in pods])
            cluster.start(pods)
            image = next(pod.image for pod in pods if pod.name.endswith("-onnx"))
            stage = Stage(cluster, chart.helm_test(documents, folder), image, report)
            for scene in scenes:
                report(f"-- {scene.__doc__}")
                if not scene(stage):
                    failed.append(f"{scene.__name__} ({title})")
                    report("   FAILED")
    return failed
