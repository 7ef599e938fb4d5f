"""What the chart renders is valid and complete, for each way to install it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ir_hub import __version__
from tests.deploy.rendered import (
    CHART,
    FRAMEWORKS,
    HELM,
    INSTALLS,
    Manifest,
    helm,
    of_kind,
    settings_of,
)

VERSIONS = ("1.29", "1.33", "1.37")


def test_the_chart_is_of_the_codes_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__


def test_helm_finds_nothing_wrong(install: str) -> None:
    done = helm("lint", INSTALLS[install], "--strict")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(version: str, manifests: list[Manifest]) -> None:
    for each in manifests:
        assert validated(json.dumps(each), version) == version


@cache
def validated(manifest: str, version: str) -> str:
    """The version that has found nothing wrong; most manifests are the same in all installs."""
    return str(kubernetes_validate.validate(json.loads(manifest), version, strict=True))


def test_kubernetes_would_say_so_if_it_didnt(manifests: list[Manifest]) -> None:
    hub = of_kind(manifests, "Deployment")["irhub-hub"]
    hub["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(hub, VERSIONS[-1], strict=True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"store": {"size": "5Gi"}}, "'size' not allowed"),
        ({"adapters": {"onnx": {"memory": 4096}}}, "'memory' not allowed"),
        ({"adapters": {"Bad_Name": {}}}, "Bad_Name"),
        ({"adapters": {"hub": {}}}, "hub"),
        ({"hub": {"memoryMiB": "4Gi"}}, "want integer"),
        ({"tls": {"enabled": False, "mutual": True}}, "/tls/enabled"),
        ({"networkPolicy": {"clients": []}}, "/networkPolicy/clients"),
        ({"adapterDefaults": {"replicas": 0}}, "/adapterDefaults/replicas"),
        ({"adapters": {"onnx": {"memoryMiB": 512, "frontMiB": 600}}}, "leaves its workers nothing"),
    ],
)
@pytest.mark.skipif(not Path(HELM).exists(), reason="helm isn't on the path")
def test_wrong_values_are_refused(values: dict[str, Any], said: str) -> None:
    done = helm("template", values)
    assert done.returncode != 0
    assert said in done.stderr


def test_each_adapter_has_its_parts_and_the_hub_knows_them(
    install: str, manifests: list[Manifest]
) -> None:
    own = INSTALLS[install].get("adapters", {})
    wanted = {name for name in {*FRAMEWORKS, *own} if own.get(name, {}) is not None}
    names = {f"irhub-{name}" for name in wanted}
    assert set(of_kind(manifests, "Deployment")) == names | {"irhub-hub"}
    assert set(of_kind(manifests, "Service")) == names | {"irhub-hub"}
    assert set(of_kind(manifests, "PodDisruptionBudget")) == names
    hub = of_kind(manifests, "Deployment")["irhub-hub"]["spec"]["template"]["spec"]
    told = settings_of(hub["containers"][0])["IRHUB_ADAPTERS"].split(",")
    assert told == [f"{name}=irhub-{name}:50051" for name in sorted(wanted)]
    for name in names:
        assert of_kind(manifests, "Service")[name]["spec"]["clusterIP"] == "None"


def test_either_the_autoscaler_counts_replicas_or_the_deployment(
    manifests: list[Manifest],
) -> None:
    scalers = of_kind(manifests, "HorizontalPodAutoscaler")
    for name, each in of_kind(manifests, "Deployment").items():
        assert ("replicas" in each["spec"]) is (name not in scalers), name
    for name, each in scalers.items():
        assert each["spec"]["minReplicas"] <= each["spec"]["maxReplicas"], name
