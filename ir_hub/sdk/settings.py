"""How an adapter's service is to run: its flags and its environment, checked before anything is
opened."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ir_hub.sdk.security import Listener, Unsafe

_PREFIX = "IRHUB_ADAPTER_"
_NO = frozenset(("", "0", "false", "no"))
_REQUIRED = object()
# By flag: type, default, description.
_FLAGS: dict[str, tuple[type, object, str]] = {
    "--store": (Path, _REQUIRED, "folder of the blobs; may be the hub's"),
    "--address": (str, "127.0.0.1:0", "where to listen; port 0: any free one"),
    "--workers": (int, 1, "calls at a time"),
    "--waiting": (int, 16, "calls that may wait for a worker"),
    "--time-limit": (float, 3600.0, "seconds a call may run"),
    "--memory-limit": (int, None, "bytes a worker may have, mapped files not counted"),
    "--store-limit": (int, None, "bytes the store may hold"),
    "--drain-notice": (
        float,
        0.0,
        "seconds between saying that it stops and taking no more calls",
    ),
    "--drain-limit": (float, 30.0, "seconds that calls get to end then"),
    "--max-connection-age": (
        float,
        600.0,
        "seconds until clients have to connect anew, and find new services",
    ),
    "--metrics-address": (str, "", "where to serve figures for Prometheus, by plain HTTP"),
    "--otlp-endpoint": (str, "", "where to send traces to, by OTLP's gRPC: http://host:4317"),
    "--tls-cert": (Path, None, "certificate to serve TLS with, PEM"),
    "--tls-key": (Path, None, "its key, PEM"),
    "--tls-client-ca": (Path, None, "let in only clients with a certificate of this CA"),
    "--insecure": (bool, False, "serve other machines without TLS"),
    "--allow-code": (
        bool,
        False,
        "let Run execute any code that a caller sends, not only what Emit wrote",
    ),
}


class BadSettings(ValueError):
    """The settings contradict themselves or aren't safe; the message says what to change."""


@dataclass(frozen=True)
class Settings:
    """What can be set; sizes in bytes, times in seconds."""

    store: Path
    listener: Listener
    workers: int
    waiting: int
    time_limit: float
    memory_limit: int | None
    store_limit: int | None
    drain_notice: float
    drain_limit: float
    max_connection_age: float
    metrics_address: str
    otlp_endpoint: str
    allow_code: bool

    def __post_init__(self) -> None:
        if self.workers < 1 or self.waiting < 0:
            raise BadSettings("there has to be a worker, and no fewer than 0 calls may wait")
        if not re.fullmatch(r"|.+:\d+", self.metrics_address):
            raise BadSettings("write --metrics-address host:port")
        if self.otlp_endpoint and not self.otlp_endpoint.startswith(("http://", "https://")):
            raise BadSettings("write --otlp-endpoint http://host:4317, or https:// for TLS")


def settings_from(
    framework: str,
    argv: Sequence[str] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings of a command line, by default the process's own, and of the environment, where
    the command line says nothing; on wrong ones the program ends with status 2."""
    parser = _parser(framework, environment)
    given = vars(parser.parse_args(argv))
    try:
        listener = Listener(**{name: given.pop(name) for name in Listener.__dataclass_fields__})
        return Settings(listener=listener, **given)
    except (BadSettings, Unsafe) as error:
        parser.error(str(error))


def _parser(framework: str, environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=f"Serves the {framework} adapter. Each flag can also be set in the "
        f"environment: --time-limit as {_PREFIX}TIME_LIMIT.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    for flag, (kind, default, description) in _FLAGS.items():
        said = environment.get(_PREFIX + flag[2:].upper().replace("-", "_"))
        if kind is bool:
            yes = said is not None and said.lower() not in _NO
            parser.add_argument(flag, action="store_true", default=yes, help=description)
            continue
        parser.add_argument(
            flag,
            type=kind,
            # argparse reads a default that is text as it reads the flag.
            default=default if said is None else said,
            required=default is _REQUIRED and said is None,
            help=description,
        )
    return parser
