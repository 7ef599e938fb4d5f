"""What the chart renders, as containers: the same image, settings, limits and mounts."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[3] / "deploy" / "charts" / "irhub"
_USER = 10001
# What has no meaning on one machine.
_LEFT_OUT = {
    *("automountServiceAccountToken", "enableServiceLinks", "topologySpreadConstraints"),
    "restartPolicy",
}
_HONOURED = {"securityContext", "terminationGracePeriodSeconds", "containers", "volumes"}


@dataclass(frozen=True)
class Pod:
    """A Deployment, or the pod of `helm test`: the name that others reach it by, what podman is
    told to run each replica, the command in place of the image's own, and the check that says
    whether a replica is ready."""

    name: str
    replicas: int
    image: str
    flags: Sequence[str]
    command: Sequence[str]
    ready: Mapping[str, Any]


def rendered(helm: str, values: Mapping[str, Any], name: str = "irhub") -> list[dict[str, Any]]:
    """The manifests that the chart renders with these values; ValueError when it refuses them."""
    command = [helm, "template", name, str(CHART), "--values", "-"]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"helm can't render the chart: {done.stderr}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def services(documents: Sequence[Mapping[str, Any]], folder: Path) -> list[Pod]:
    """The Deployments; the volumes of all of them are in the folder, secrets in `secrets` there.

    Raises:
        ValueError: a field's meaning would be lost.
    """
    found = [each for each in documents if each["kind"] == "Deployment"]
    return [
        _pod(each["metadata"], each["spec"]["template"]["spec"], each["spec"]["replicas"], folder)
        for each in found
    ]


def helm_test(documents: Sequence[Mapping[str, Any]], folder: Path) -> Pod:
    """The pod of `helm test`, which is a client of the hub; otherwise as `services`."""
    (found,) = (each for each in documents if each["kind"] == "Pod")
    return _pod(found["metadata"], found["spec"], 1, folder)


def _pod(metadata: Mapping[str, Any], spec: Mapping[str, Any], replicas: int, folder: Path) -> Pod:
    name = metadata["name"]
    if unknown := set(spec) - _LEFT_OUT - _HONOURED:
        raise ValueError(f"{name}: what are {unknown} to podman?")
    (container,) = spec["containers"]
    flags = [
        *_security(spec["securityContext"], container["securityContext"]),
        *_limits(container["resources"]["limits"]),
        f"--stop-timeout={spec.get('terminationGracePeriodSeconds', 30)}",
        *(f"--env={each['name']}={each['value']}" for each in container["env"]),
        *_mounts(container["volumeMounts"], spec["volumes"], folder),
    ]
    command = [*container.get("command", ()), *container.get("args", ())]
    ready = container.get("readinessProbe", {})
    return Pod(name, replicas, container["image"], flags, command, ready)


def _security(pod: Mapping[str, Any], container: Mapping[str, Any]) -> list[str]:
    if container["allowPrivilegeEscalation"] or not container["readOnlyRootFilesystem"]:
        raise ValueError("the chart gives containers more rights than this expects")
    dropped = container["capabilities"]["drop"]
    return [
        f"--user={pod['runAsUser']}:{pod['runAsGroup']}",
        "--security-opt=no-new-privileges",
        "--read-only",
        "--read-only-tmpfs=false",
        *(f"--cap-drop={each}" for each in dropped),
    ]


def _limits(limits: Mapping[str, str]) -> list[str]:
    memory = limits["memory"].removesuffix("Mi") + "m"
    return [f"--memory={memory}", f"--memory-swap={memory}", f"--cpus={limits['cpu']}"]


def _mounts(
    mounts: Sequence[Mapping[str, Any]],
    volumes: Sequence[Mapping[str, Any]],
    folder: Path,
) -> list[str]:
    """Volumes as folders: a claim is one for all, an emptyDir is podman's own for each replica."""
    by_name = {volume["name"]: volume for volume in volumes}
    flags = []
    for mount in mounts:
        volume, path = by_name[mount["name"]], mount["mountPath"]
        if "emptyDir" in volume:
            flags.append(f"--volume={path}")
        elif "secret" in volume:
            place = folder / "secrets" / volume["secret"]["secretName"]
            flags.append(f"--volume={place}:{path}:ro")
        else:
            claim = volume["persistentVolumeClaim"]["claimName"]
            place = owned(folder / claim / mount.get("subPath", ""))
            flags.append(f"--volume={place}:{path}")
    return flags


def owned(folder: Path) -> Path:
    """The folder, made if need be, as the pods' user's."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, _USER, _USER)
    return folder
