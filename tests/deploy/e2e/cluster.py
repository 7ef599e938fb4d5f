"""The pods of one release on a network: started, asked whether they are ready, killed, removed."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.deploy.e2e.chart import Pod
from tests.deploy.e2e.machine import Podman, Unfit

_NETWORK = "irhub-e2e"
_READY_SECONDS = 300.0
_POLL_SECONDS = 0.5
# It makes the models, which takes more memory than asking for adapters.
_CLIENT = ("--entrypoint=python", "--memory=2g", "--memory-swap=2g")


class Cluster:
    """Containers on a network of their own, in which a pod's name stands for all its replicas.

    Containers, network and the folder of the volumes are gone when the `with` ends.
    """

    def __init__(self, podman: Podman, folder: Path) -> None:
        self._podman = podman
        self.folder = folder
        self._containers: dict[str, Pod] = {}
        self._scripts = 0

    def __enter__(self) -> Self:
        self._remove()  # what a run that was killed left
        self.folder.mkdir(parents=True)
        self._podman("network", "create", _NETWORK)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._remove()

    def start(self, pods: Sequence[Pod]) -> None:
        """Starts every replica, and waits until all are ready; Unfit when one doesn't get so."""
        for pod in pods:
            for number in range(pod.replicas):
                name = f"{pod.name}-{number}"
                self._containers[name] = pod
                flags = (*self._common(name), f"--network-alias={pod.name}", *pod.flags)
                self._podman("run", "--detach", *flags, pod.image)
        for name in self._containers:
            self.wait_ready(name)

    def wait_ready(self, name: str) -> None:
        """Waits for a container's readiness probe."""
        until = time.monotonic() + _READY_SECONDS
        while not self._is_ready(name):
            if self._state(name) != "running" or time.monotonic() > until:
                raise Unfit(f"{name} isn't ready. It said: {self.logs(name)[-3000:]}")
            time.sleep(_POLL_SECONDS)

    def kill(self, name: str) -> None:
        """Ends a container at once, as the kernel does when memory is short."""
        self._podman("kill", "--signal=KILL", name)

    def restart(self, name: str) -> None:
        """Starts a container again, as a kubelet does, and waits until it is ready."""
        self._podman("start", name)
        self.wait_ready(name)

    def stop(self, name: str) -> int:
        """Ends a container by SIGTERM; its exit code."""
        self._podman("stop", name)
        return int(self._podman("inspect", "--format={{.State.ExitCode}}", name))

    def logs(self, name: str) -> str:
        """What a container has said."""
        done = self._podman.run("logs", name)
        return done.stdout + done.stderr

    def names(self) -> list[str]:
        """The containers of all pods."""
        return list(self._containers)

    def once(self, pod: Pod) -> tuple[int, str]:
        """Runs a pod until it ends; its status and what it said."""
        entry, *rest = pod.command
        flags = (*self._common(pod.name), *pod.flags, f"--entrypoint={entry}")
        done = self._podman.run("run", *flags, pod.image, *rest)
        return done.returncode, (done.stdout + done.stderr).strip()

    def script(
        self, like: Pod, image: str, path: Path, *arguments: str, name: str = ""
    ) -> subprocess.Popen[str]:
        """A script with these arguments in a container of another image, else like a pod; others
        reach it by its name."""
        self._scripts += 1
        flags = (*self._common(name or f"{path.stem}-{self._scripts}"), *like.flags, *_CLIENT)
        flags += (f"--volume={path}:/{path.name}:ro",)
        return self._podman.start("run", *flags, image, f"/{path.name}", *arguments)

    def _common(self, name: str) -> tuple[str, ...]:
        labels = (f"--label={_NETWORK}", f"--name={name}", f"--network={_NETWORK}")
        # Without systemd podman can't run health checks by itself.
        return (*labels, "--no-healthcheck", "--pull=never")

    def _is_ready(self, name: str) -> bool:
        probe: Mapping[str, Any] = self._containers[name].ready
        if "exec" in probe:
            return not self._podman.run("exec", name, *probe["exec"]["command"]).returncode
        (found,) = json.loads(self._podman("inspect", name))
        address = found["NetworkSettings"]["Networks"][_NETWORK]["IPAddress"]
        return _serves(f"{address}:{probe['grpc']['port']}")

    def _state(self, name: str) -> str:
        return self._podman("inspect", "--format={{.State.Status}}", name).strip()

    def _remove(self) -> None:
        found = self._podman("ps", "--all", "--quiet", f"--filter=label={_NETWORK}").split()
        if found:
            self._podman("rm", "--force", "--time=0", "--volumes", *found)
        if not self._podman.run("network", "exists", _NETWORK).returncode:
            self._podman("network", "rm", "--force", _NETWORK)
        shutil.rmtree(self.folder, ignore_errors=True)


def _serves(address: str) -> bool:
    """What a kubelet's gRPC probe asks."""
    with grpc.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            found = stub.Check(health_pb2.HealthCheckRequest(), timeout=2.0)
        except grpc.RpcError:
            return False
    return bool(found.status == health_pb2.HealthCheckResponse.SERVING)
