"""Traces of what was done where, across hub, adapters and workers; nothing unless an OTLP endpoint
is set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ir_hub.sdk.tracing import Tracing

Kind = Literal["internal", "client", "server"]

_tracing: Tracing | None = None


@dataclass(frozen=True)
class Handover:
    """What another process needs to go on with a trace."""

    service: str
    endpoint: str
    parent: str


def start(service: str, endpoint: str) -> None:
    """Sends this process's spans, as those of a service, to an OTLP collector by gRPC, such as
    http://localhost:4317; with an empty endpoint, nothing."""
    global _tracing
    if endpoint and _tracing is None:
        # It takes a third of a second, which nobody who doesn't trace should wait.
        from ir_hub.sdk.tracing import Tracing

        _tracing = Tracing(service, endpoint)


def stop() -> None:
    """Sends what hasn't been sent."""
    if _tracing is not None:
        _tracing.stop()


@contextmanager
def span(name: str, parent: str = "", kind: Kind = "internal", **attributes: str) -> Iterator[None]:
    """What is done inside is a span, below `parent` (a W3C traceparent) or the one around it.
    What is raised inside is noted."""
    if _tracing is None:
        yield
        return
    with _tracing.span(name, parent, kind, attributes):
        yield


def traceparent() -> str:
    """The span around this, as W3C writes it; empty when there is none."""
    return "" if _tracing is None else _tracing.traceparent()


def handover() -> Handover | None:
    """What a worker needs to go on from here; None when nothing is traced."""
    if _tracing is None:
        return None
    return Handover(_tracing.service, _tracing.endpoint, _tracing.traceparent())


@contextmanager
def taken_over(given: Handover | None, name: str) -> Iterator[None]:
    """What is done inside is a span below the one in which `given` was made."""
    if given is None:
        yield
        return
    start(given.service, given.endpoint)
    with span(name, given.parent):
        yield
