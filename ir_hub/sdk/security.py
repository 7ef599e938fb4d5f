"""TLS and bearer tokens: whom a service lets in, and how a client shows who it is."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeAlias, TypeVar

import grpc
from grpc_status import rpc_status

from ir_hub.sdk.errors import Unauthenticated
from ir_hub.sdk.status import to_status

# What anyone may ask: probes and balancers can't send a token, and nothing of a caller's is told.
_OPEN_TO_ALL = ("/grpc.health.v1.Health/", "/grpc.reflection.")
_BEARER = "bearer "
_PING_MS = 60_000
_CONNECT_MS = 5_000
_PONG_MS = 20_000
PINGS_TAKEN = ("grpc.http2.min_ping_interval_without_data_ms", _PING_MS // 2)
"""An option for servers, which else hang up on clients that ask whether they are there."""

_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
_T = TypeVar("_T")


class Unsafe(ValueError):
    """A service or client isn't safe as it is set up; the message says what to change."""


@dataclass(frozen=True)
class Listener:
    """Where a service listens, and whom it lets in. Certificates and keys are PEM files; they are
    read again when they change."""

    address: str
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    """Let in only clients with a certificate of this authority."""
    insecure: bool = False
    """Serve other machines without TLS."""

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise Unsafe("give tls_cert and tls_key together")
        if self.tls_client_ca and not self.tls_cert:
            raise Unsafe("tls_client_ca needs tls_cert and tls_key")
        if not (self.tls_cert or self.insecure or is_loopback(self.address)):
            raise Unsafe(
                f"{self.address} is open to other machines, and nothing would be encrypted or "
                "checked: give tls_cert and tls_key (and tls_client_ca to let in only who has a "
                "certificate), or insecure where the network itself is safe"
            )

    def open(self, server: grpc.aio.Server) -> str:
        """Has a server listen; the address, with the port that was found.

        Raises:
            OSError: a certificate or key can't be read.
            RuntimeError: the address is taken, or none of this machine's.
        """
        if self.tls_cert is None:
            port = server.add_insecure_port(self.address)
        else:
            port = server.add_secure_port(self.address, self._credentials())
        if self.address.startswith("unix:"):
            return self.address
        return f"{self.address.rpartition(':')[0]}:{port}"

    def _credentials(self) -> grpc.ServerCredentials:
        files = _Changing(self._files(), self._configuration)
        return grpc.dynamic_ssl_server_credentials(
            files.latest(),
            files.news,  # type: ignore[arg-type]  # None, when nothing has changed, is meant
            self.tls_client_ca is not None,
        )

    def _files(self) -> list[Path]:
        return [path for path in (self.tls_key, self.tls_cert, self.tls_client_ca) if path]

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        key, cert, *clients = (path.read_bytes() for path in self._files())
        return grpc.ssl_server_certificate_configuration([(key, cert)], *clients)


class Tokens(grpc.aio.ServerInterceptor):
    """Refuses calls without one of the bearer tokens in a file, one a line, lines with # aside.

    Health and reflection stay open. The file is read again when it changes.
    """

    def __init__(self, path: Path) -> None:
        """Reads the file.

        Raises:
            Unsafe: there is no token in it.
            OSError: it can't be read.
        """
        self._path = path
        self._file = _Changing([path], self._read)

    async def intercept_service(  # type: ignore[override]  # its type variables bind nothing
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """The call's handler, or one that refuses."""
        if handler_call_details.method.startswith(_OPEN_TO_ALL):
            return await continuation(handler_call_details)
        given = dict(handler_call_details.invocation_metadata).get("authorization", "")
        if not given:
            return _refusal("this hub wants a token: send `authorization: Bearer TOKEN`")
        text = given.decode(errors="replace") if isinstance(given, bytes) else given
        if not self._knows(text):
            return _refusal("the token isn't one of this hub's: it was mistyped, or revoked")
        return await continuation(handler_call_details)

    def _knows(self, given: str) -> bool:
        if not given.lower().startswith(_BEARER):
            return False
        digest = _digest(given[len(_BEARER) :].strip())
        # All are compared, so that the time says nothing of which one was near.
        return sum(hmac.compare_digest(digest, known) for known in self._file.latest()) > 0

    def _read(self) -> list[bytes]:
        found = [_digest(token) for token in tokens_in(self._path)]
        if not found:
            raise Unsafe(f"{self._path} holds no token: write one a line")
        return found


@dataclass(frozen=True)
class Access:
    """How a client reaches services: in the clear, or by TLS when `tls` or any file is given."""

    tls: bool = False
    """Trust the authorities that gRPC comes with, unless `ca` names one."""
    ca: Path | None = None
    cert: Path | None = None
    """The client's own certificate, with its `key`, for a service that asks for one."""
    key: Path | None = None
    token_file: Path | None = None
    """Its first token is sent with every call; only by TLS."""

    def __post_init__(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise Unsafe("a client's certificate and its key belong together: give both")
        if self.token_file and not self._is_encrypted():
            raise Unsafe("a token isn't sent in the clear: say that TLS is to be used, or its ca")

    def channel(self, address: str, name: str = "") -> grpc.Channel:
        """A connection; `name` is what the certificate has to say where the address doesn't.

        Raises:
            OSError: a file can't be read.
        """
        credentials = self._credentials()
        if credentials is None:
            return grpc.insecure_channel(address, _options(name))
        return grpc.secure_channel(address, credentials, _options(name))

    def aio_channel(self, address: str, name: str = "") -> grpc.aio.Channel:
        """The same for asyncio."""
        credentials = self._credentials()
        if credentials is None:
            return grpc.aio.insecure_channel(address, _options(name))
        return grpc.aio.secure_channel(address, credentials, _options(name))

    def _is_encrypted(self) -> bool:
        return self.tls or self.ca is not None or self.cert is not None

    def _credentials(self) -> grpc.ChannelCredentials | None:
        if not self._is_encrypted():
            return None
        credentials = grpc.ssl_channel_credentials(
            *(path.read_bytes() if path else None for path in (self.ca, self.key, self.cert))
        )
        if self.token_file is None:
            return credentials
        tokens = tokens_in(self.token_file)
        if not tokens:
            raise Unsafe(f"{self.token_file} holds no token: write one a line")
        call = grpc.access_token_call_credentials(tokens[0])
        return grpc.composite_channel_credentials(credentials, call)


PLAIN = Access()
"""Without TLS."""


class _Changing(Generic[_T]):
    """What is read from files that may be replaced while we run. While they can't be read, what
    was read before holds."""

    def __init__(self, files: Sequence[Path], read: Callable[[], _T]) -> None:
        self._files = files
        self._read = read
        self._seen = self._state()
        self._value = read()

    def latest(self) -> _T:
        """What the files say."""
        self.news()
        return self._value

    def news(self) -> _T | None:
        """The same, if they have changed since the last look."""
        with suppress(OSError, Unsafe):
            state = self._state()
            if state != self._seen:
                self._value, self._seen = self._read(), state
                return self._value
        return None

    def _state(self) -> list[tuple[int, int, int]]:
        stats = map(os.stat, self._files)
        return [(stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats]


def tokens_in(path: Path) -> list[str]:
    """The tokens in a file, one a line; empty lines and lines with # at the front are none."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def is_loopback(address: str) -> bool:
    """Whether an address to listen at is reached from this machine alone."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refusal(message: str) -> _Handler:
    """Ends any call, of one message or of many: on the wire they are alike."""

    async def refuse(_: object, context: grpc.aio.ServicerContext[Any, Any]) -> NoReturn:
        status = rpc_status.to_status(to_status(Unauthenticated(message)))
        await context.abort(status.code, status.details, status.trailing_metadata)
        raise AssertionError("abort raises")

    return grpc.stream_stream_rpc_method_handler(refuse)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _options(name: str) -> list[tuple[str, str | int]]:
    # A machine that vanishes is noticed, and not waited for until the call's deadline.
    options: list[tuple[str, str | int]] = [
        ("grpc.keepalive_time_ms", _PING_MS),
        ("grpc.keepalive_timeout_ms", _PONG_MS),
        ("grpc.min_reconnect_backoff_ms", _CONNECT_MS),  # which is how long an attempt may take
    ]
    return [*options, ("grpc.ssl_target_name_override", name)] if name else options
