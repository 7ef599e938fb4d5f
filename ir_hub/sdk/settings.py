"""How an adapter's service is to run: its command line, checked before anything is opened."""

from __future__ import annotations

import argparse
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc


class BadSettings(ValueError):
    """The settings contradict themselves or aren't safe; the message says what to change."""


@dataclass(frozen=True)
class Settings:
    """What the command line says; sizes in bytes, times in seconds."""

    store: Path
    address: str
    workers: int
    waiting: int
    time_limit: float
    memory_limit: int | None
    store_limit: int | None
    drain_notice: float
    drain_limit: float
    max_connection_age: float
    tls_cert: Path | None
    tls_key: Path | None
    tls_client_ca: Path | None
    insecure: bool
    allow_code: bool

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise BadSettings("give --tls-cert and --tls-key together")
        if self.tls_client_ca and not self.tls_cert:
            raise BadSettings("--tls-client-ca needs --tls-cert and --tls-key")
        if not (self.tls_cert or self.insecure or is_loopback(self.address)):
            raise BadSettings(
                f"{self.address} is open to other machines, and nothing would be encrypted or "
                "checked: give --tls-cert and --tls-key (and --tls-client-ca to let in only who "
                "has a certificate), or --insecure where the network itself is safe"
            )
        if self.workers < 1 or self.waiting < 0:
            raise BadSettings("there has to be a worker, and no fewer than 0 calls may wait")

    def credentials(self) -> grpc.ServerCredentials | None:
        """What to serve TLS with; None: without it."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        pair = (self.tls_key.read_bytes(), self.tls_cert.read_bytes())
        clients = self.tls_client_ca.read_bytes() if self.tls_client_ca else None
        return grpc.ssl_server_credentials([pair], clients, clients is not None)


def settings_from(framework: str, argv: Sequence[str] | None = None) -> Settings:
    """The settings of a command line; on a wrong one the program ends with status 2."""
    parser = _parser(framework)
    given = parser.parse_args(argv)
    try:
        return Settings(**vars(given))
    except BadSettings as error:
        parser.error(str(error))


def is_loopback(address: str) -> bool:
    """Whether an address to listen at is reached from this machine alone."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parser(framework: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=f"Serves the {framework} adapter.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--store", type=Path, required=True, help="folder of the blobs; may be the hub's")
    add("--address", default="127.0.0.1:0", help="where to listen; port 0: any free one")
    add("--workers", type=int, default=1, help="calls at a time")
    add("--waiting", type=int, default=16, help="calls that may wait for a worker")
    add("--time-limit", type=float, default=3600.0, help="seconds a call may run")
    add("--memory-limit", type=int, help="bytes a worker may have, mapped files not counted")
    add("--store-limit", type=int, help="bytes the store may hold")
    add(
        "--drain-notice",
        type=float,
        default=0.0,
        help="seconds between saying that it stops and taking no more calls",
    )
    add("--drain-limit", type=float, default=30.0, help="seconds that calls get to end then")
    add(
        "--max-connection-age",
        type=float,
        default=600.0,
        help="seconds until clients have to connect anew, and find new services",
    )
    add("--tls-cert", type=Path, help="certificate to serve TLS with, PEM")
    add("--tls-key", type=Path, help="its key, PEM")
    add("--tls-client-ca", type=Path, help="let in only clients with a certificate of this CA")
    add("--insecure", action="store_true", help="serve other machines without TLS")
    add(
        "--allow-code",
        action="store_true",
        help="let Run execute any code that a caller sends, not only what Emit wrote",
    )
    return parser
