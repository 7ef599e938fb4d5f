"""Asks a service whether it serves, for probes that run inside its container:
`python -m ir_hub.health 127.0.0.1:50051`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ir_hub.sdk.security import Access, Unsafe

_PREFIX = "IRHUB_HEALTH_"
_SERVING = health_pb2.HealthCheckResponse.SERVING


def problem(
    address: str, access: Access, *, name: str = "", service: str = "", seconds: float = 5.0
) -> str:
    """Why a service doesn't serve; empty when it does.

    Args:
        address: where it is.
        access: how to reach it.
        name: what its certificate has to say, where the address doesn't.
        service: one of its gRPC services; empty for the whole.
        seconds: how long it has to answer.
    """
    with access.channel(address, name) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            found = stub.Check(request, timeout=seconds).status
        except grpc.RpcError as error:
            return f"{error.code().name}: {error.details()}"
    if found == _SERVING:
        return ""
    return f"it says {health_pb2.HealthCheckResponse.ServingStatus.Name(found)}"


def main(argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """The exit code: 0 when the service serves, 1 when not, 2 for wrong usage."""
    parser = _parser(environment)
    given = parser.parse_args(argv)
    try:
        access = Access(ca=given.ca, cert=given.cert, key=given.key)
        found = problem(
            given.address, access, name=given.name, service=given.service, seconds=given.seconds
        )
    except (Unsafe, OSError) as error:
        parser.error(str(error))
    if found:
        sys.stderr.write(f"{given.address} doesn't serve: {found}\n")
    return 1 if found else 0


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ir_hub.health",
        description="Exits with 0 when the service at ADDRESS serves, with 1 when not: the check "
        f"of grpc.health.v1. Each flag can also be set in the environment: --ca as {_PREFIX}CA.",
    )
    parser.add_argument("address", metavar="ADDRESS", help="127.0.0.1:50051")

    def add(name: str, kind: type, default: object, description: str) -> None:
        default = environment.get(_PREFIX + name.upper(), default)
        parser.add_argument(f"--{name}", type=kind, default=default, help=description)

    add("ca", Path, None, "use TLS; the authority of the service's certificate, PEM")
    add("cert", Path, None, "a certificate for a service that asks for one, PEM")
    add("key", Path, None, "its key, PEM")
    add("name", str, "", "what the service's certificate says, where the address doesn't")
    add("service", str, "", "one of its gRPC services, rather than the whole")
    add("seconds", float, 5.0, "how long it has to answer")
    return parser


if __name__ == "__main__":
    sys.exit(main())
