"""Pods are safe, bounded, probed and set up as the services expect, for each way to install."""

from __future__ import annotations

from dataclasses import fields

import pytest

from ir_hub.hub.settings import Settings as HubSettings
from ir_hub.sdk.security import Listener
from ir_hub.sdk.settings import Settings as AdapterSettings
from tests.deploy.rendered import INSTALLS, Manifest, of_kind, pod_specs, settings_of


def test_pods_satisfy_the_restricted_standard(manifests: list[Manifest]) -> None:
    for name, spec in pod_specs(manifests):
        pod = spec["securityContext"]
        assert pod["runAsNonRoot"], name
        assert pod["runAsUser"] == 10001, name
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(spec), name
        kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"emptyDir", "persistentVolumeClaim", "secret"}, name
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert not any("hostPort" in port for port in container.get("ports", ())), name


def test_pods_get_no_token_and_no_variables_of_other_services(manifests: list[Manifest]) -> None:
    for name, spec in pod_specs(manifests):
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name


def test_everything_is_bounded(manifests: list[Manifest]) -> None:
    for name, spec in pod_specs(manifests):
        for container in spec["containers"]:
            resources = container["resources"]
            assert set(resources["limits"]) == set(resources["requests"]) == {"cpu", "memory"}, name
            # What is asked for is there: nothing is killed because a neighbour grew.
            if name != "irhub-test":
                assert resources["limits"]["memory"] == resources["requests"]["memory"], name
        for volume in spec["volumes"]:
            assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"], name


def test_services_limit_themselves_below_the_kernels_limit(manifests: list[Manifest]) -> None:
    for name, each in of_kind(manifests, "Deployment").items():
        (container,) = each["spec"]["template"]["spec"]["containers"]
        settings = settings_of(container)
        is_hub = name == "irhub-hub"
        worker = int(settings["IRHUB_WORKER_BYTES" if is_hub else "IRHUB_ADAPTER_MEMORY_LIMIT"])
        workers = int(settings["IRHUB_WORKERS" if is_hub else "IRHUB_ADAPTER_WORKERS"])
        limit = int(container["resources"]["limits"]["memory"].removesuffix("Mi")) << 20
        assert 0 < worker * workers <= limit - (256 << 20), name


def test_stores_leave_a_quarter_of_their_volume_to_the_work(manifests: list[Manifest]) -> None:
    claims = of_kind(manifests, "PersistentVolumeClaim")
    for name, each in of_kind(manifests, "Deployment").items():
        spec = each["spec"]["template"]["spec"]
        settings = settings_of(spec["containers"][0])
        store = next(volume for volume in spec["volumes"] if volume["name"] == "store")
        if "emptyDir" in store:
            size = store["emptyDir"]["sizeLimit"]
        elif claim := claims.get(store["persistentVolumeClaim"]["claimName"]):
            size = claim["spec"]["resources"]["requests"]["storage"]
        else:
            continue  # of a size that the chart isn't told
        key = "IRHUB_STORE_BYTES" if name == "irhub-hub" else "IRHUB_ADAPTER_STORE_LIMIT"
        assert int(settings[key]) * 4 == (int(size.removesuffix("Gi")) << 30) * 3, name


def test_probes_ask_grpcs_health_by_the_kubelet_or_with_tls_from_within(
    install: str, manifests: list[Manifest]
) -> None:
    tls = INSTALLS[install].get("tls", {}).get("enabled", True)
    for name, each in of_kind(manifests, "Deployment").items():
        (container,) = each["spec"]["template"]["spec"]["containers"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            if tls:
                check = ["python", "-m", "ir_hub.health", "127.0.0.1:50051"]
                assert container[probe]["exec"]["command"] == check, name
            else:
                assert container[probe]["grpc"] == {"port": 50051}, name
        settings = settings_of(container)
        assert ("IRHUB_HEALTH_CA" in settings) is tls, name


def test_a_drain_ends_before_the_kubelet_kills(manifests: list[Manifest]) -> None:
    for name, each in of_kind(manifests, "Deployment").items():
        spec = each["spec"]["template"]["spec"]
        settings = settings_of(spec["containers"][0])
        takes = sum(float(text) for key, text in settings.items() if "_DRAIN_" in key)
        assert takes + 5 <= spec["terminationGracePeriodSeconds"], name


def test_nothing_is_open_unless_it_is_told(install: str, manifests: list[Manifest]) -> None:
    tls = INSTALLS[install].get("tls", {})
    for name, each in of_kind(manifests, "Deployment").items():
        prefix = "IRHUB_" if name == "irhub-hub" else "IRHUB_ADAPTER_"
        settings = settings_of(each["spec"]["template"]["spec"]["containers"][0])
        assert (prefix + "TLS_CERT" in settings) is tls.get("enabled", True), name
        assert (prefix + "INSECURE" in settings) is not tls.get("enabled", True), name
        assert (prefix + "TLS_CLIENT_CA" in settings) is tls.get("mutual", False), name
        assert not any("ALLOW_CODE" in key for key in settings), name


def test_services_know_every_setting(manifests: list[Manifest]) -> None:
    hub = {f"IRHUB_{name.upper()}" for name in HubSettings.model_fields}
    names = {field.name for kind in (AdapterSettings, Listener) for field in fields(kind)}
    adapter = {f"IRHUB_ADAPTER_{name.upper()}" for name in names}
    health = {"IRHUB_HEALTH_CA", "IRHUB_HEALTH_NAME", "IRHUB_HEALTH_CERT", "IRHUB_HEALTH_KEY"}
    for name, spec in pod_specs(manifests):
        known = adapter if name not in ("irhub-hub", "irhub-test") else hub
        for container in spec["containers"]:
            told = {key for key in settings_of(container) if key.startswith("IRHUB_")}
            assert told <= known | health, name


def test_metrics_and_traces_are_where_the_ports_say(
    install: str, manifests: list[Manifest]
) -> None:
    for name, each in of_kind(manifests, "Deployment").items():
        (container,) = each["spec"]["template"]["spec"]["containers"]
        prefix = "IRHUB_" if name == "irhub-hub" else "IRHUB_ADAPTER_"
        settings = settings_of(container)
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        has_metrics = install != "unwatched"
        assert ports == {"grpc": 50051} | ({"metrics": 9464} if has_metrics else {}), name
        assert (settings.get(prefix + "METRICS_ADDRESS") == "0.0.0.0:9464") is has_metrics, name
        endpoint = INSTALLS[install].get("traces", {}).get("endpoint")
        assert settings.get(prefix + "OTLP_ENDPOINT") == endpoint, name


@pytest.mark.parametrize("install", ["another-adapter"], indirect=True)
def test_settings_arrive_as_they_were_given(manifests: list[Manifest]) -> None:
    hub = of_kind(manifests, "Deployment")["irhub-hub"]["spec"]["template"]["spec"]
    settings = settings_of(hub["containers"][0])
    assert settings["IRHUB_CACHED_ACTIONS"] == "2000000"
    assert settings["IRHUB_STAGE_SECONDS"] == "0.5"
