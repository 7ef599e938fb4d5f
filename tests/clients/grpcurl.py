"""What grpcurl, which has none of our files, learns from the services by reflection."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any


class Unanswered(Exception):
    """grpcurl got another answer than expected; the message has it."""


def ask(addresses: Mapping[str, str]) -> None:
    """Lists the services at each address, asks for their health, and calls one method of each.

    Raises:
        Unanswered: grpcurl failed, or a service isn't there or not healthy.
    """
    for name, address in addresses.items():
        services = _grpcurl(address, "list").split()
        own = f"irhub.{'hub' if name == 'hub' else 'adapter'}.v1"
        if not any(service.startswith(own) for service in services):
            raise Unanswered(f"{name} has no service of {own} among {services}")
        if _json(address, "grpc.health.v1.Health/Check") != {"status": "SERVING"}:
            raise Unanswered(f"{name} isn't healthy")
        print(f"{name}: healthy, with {', '.join(services)}")
    adapters = _json(addresses["hub"], "irhub.hub.v1.HubService/ListAdapters")["adapters"]
    for adapter in adapters:
        reads = [format["name"] for format in adapter["description"]["reads"]]
        print(f"{adapter['framework']} reads {', '.join(reads)}")
    described = _json(addresses["onnx"], "irhub.adapter.v1.AdapterService/Describe")
    if described["framework"] != "onnx":
        raise Unanswered(f"the adapter of ONNX says that it is {described['framework']!r}")


def _json(address: str, method: str) -> Any:
    return json.loads(_grpcurl(address, method))


def _grpcurl(address: str, *arguments: str) -> str:
    done = subprocess.run(
        ["grpcurl", "-plaintext", "-max-time", "20", address, *arguments],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Unanswered(f"grpcurl {' '.join(arguments)} at {address}: {done.stderr}")
    return done.stdout
