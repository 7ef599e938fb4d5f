"""The chart, rendered for each way to install it, and how its manifests are looked through."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "charts" / "irhub"
_OWN_HELM = ROOT / ".irhub" / "tools" / "helm" / "helm"
HELM = os.environ.get("HELM") or shutil.which("helm") or str(_OWN_HELM)
FRAMEWORKS = ("mxnet", "onnx", "pytorch", "tensorflow")

Manifest = dict[str, Any]

INSTALLS: Mapping[str, dict[str, Any]] = {
    "default": {},
    "no-tls": {"tls": {"enabled": False}},
    "mutual-and-tokens": {"tls": {"mutual": True}, "tokens": {"secret": "irhub-tokens"}},
    "shared-store": {"store": {"shared": True, "className": "nfs", "sizeGiB": 7}},
    "own-claim": {"store": {"claim": "models"}},
    "fixed-size": {"adapterDefaults": {"autoscaling": {"enabled": False}, "replicas": 3}},
    "one-adapter": {
        "adapters": {"pytorch": None, "tensorflow": None, "mxnet": None, "onnx": {"workers": 3}}
    },
    "another-adapter": {
        "adapters": {"caffe": {"image": "example.org/caffe:1", "tolerations": [{"key": "gpu"}]}},
        "image": {"pullSecrets": ["registry"]},
        "hub": {
            "nodeSelector": {"disk": "fast"},
            "settings": {"cached_actions": 2_000_000, "stage_seconds": 0.5},
        },
    },
    "no-policies": {"networkPolicy": {"enabled": False}},
    "watched": {
        "metrics": {"scrapers": [{"namespaceSelector": {"matchLabels": {"team": "watch"}}}]},
        "traces": {
            "endpoint": "http://collector.watch:4317",
            "collectors": [{"namespaceSelector": {"matchLabels": {"team": "watch"}}}],
        },
    },
    "unwatched": {"metrics": {"enabled": False}},
}


def helm(command: str, values: Mapping[str, Any], *flags: str) -> subprocess.CompletedProcess[str]:
    name = () if command == "lint" else ("irhub",)
    return subprocess.run(
        [HELM, command, *name, str(CHART), *flags, "--values", "-"],
        input=json.dumps(values),
        capture_output=True,
        text=True,
    )


@cache
def text_of(install: str) -> str:
    """The manifests of an installation, as YAML."""
    done = helm("template", INSTALLS[install])
    assert done.returncode == 0, done.stderr
    return done.stdout


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """The manifests of a kind, by name."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def pod_specs(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """What every pod is to be, with the name of what makes it."""
    for name, each in of_kind(manifests, "Deployment").items():
        yield name, each["spec"]["template"]["spec"]
    for name, each in of_kind(manifests, "Pod").items():
        yield name, each["spec"]


def settings_of(container: Manifest) -> dict[str, str]:
    """A container's variables."""
    return {each["name"]: each["value"] for each in container["env"]}
