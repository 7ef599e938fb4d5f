"""Who reaches whom, for each way to install: services, and the policies of the network."""

from __future__ import annotations

from tests.deploy.rendered import Manifest, of_kind


def test_policies_close_every_pod_but_for_whom_it_works_with(
    install: str, manifests: list[Manifest]
) -> None:
    policies = of_kind(manifests, "NetworkPolicy")
    if install == "no-policies":
        assert not policies
        return
    deployments = of_kind(manifests, "Deployment")
    assert set(policies) == set(deployments)
    for name, policy in policies.items():
        spec = policy["spec"]
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        labels = deployments[name]["spec"]["template"]["metadata"]["labels"]
        assert spec["podSelector"]["matchLabels"].items() <= labels.items()
        adapters = {each.removeprefix("irhub-") for each in deployments} - {"hub"}
        watched = {"team"} if install == "watched" else set()
        if name == "irhub-hub":
            assert components(spec["ingress"]) == {"client"} | watched
            assert components(spec["egress"]) == {"dns"} | adapters | watched
        else:
            assert components(spec["ingress"]) == {"hub", "client"} | watched
            assert components(spec["egress"]) == {"dns", "hub"} | watched


def components(rules: list[Manifest]) -> set[str]:
    """Whom rules let through: components of ours, "client", "dns" or "team", each only by its
    port."""
    found = set()
    for rule in rules:
        ports = {port["port"] for port in rule["ports"]}
        for peer in rule.get("from", rule.get("to")):
            if "podSelector" not in peer:
                assert ports in ({9464}, {4317})
                found |= set(peer["namespaceSelector"]["matchLabels"])
                continue
            labels = peer["podSelector"]["matchLabels"]
            if "k8s-app" in labels:
                assert ports == {53}
                found.add("dns")
                continue
            assert ports == {50051}
            assert "namespaceSelector" not in peer
            is_client = labels == {"irhub/client": "true"}
            found.add("client" if is_client else labels["app.kubernetes.io/component"])
    return found


def test_the_helm_test_is_a_client(manifests: list[Manifest]) -> None:
    pod = of_kind(manifests, "Pod")["irhub-test"]
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert pod["metadata"]["labels"]["irhub/client"] == "true"


def test_services_select_exactly_their_own_pods(manifests: list[Manifest]) -> None:
    pods = {
        name: each["spec"]["template"]["metadata"]["labels"]
        for name, each in of_kind(manifests, "Deployment").items()
    }
    for name, service in of_kind(manifests, "Service").items():
        selector = service["spec"]["selector"].items()
        assert [pod for pod, labels in pods.items() if selector <= labels.items()] == [name]
