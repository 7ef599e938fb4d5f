"""Functions for workers to run, as the hub's own compute has them: no adapter, no service."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from ir_hub.sdk.errors import BadModel, Problem
from ir_hub.sdk.worker import Function, Job

kept: list[bytearray] = []


def identify(request: bytes, job: Job) -> bytes:
    """The worker's process id, after as many seconds as the request says."""
    time.sleep(float(request))
    return str(os.getpid()).encode()


def keep(request: bytes, job: Job) -> bytes:
    """The same, and so many bytes are never given back."""
    kept.append(bytearray(b"x") * int(request))
    return str(os.getpid()).encode()


def refuse(request: bytes, job: Job) -> bytes:
    """Raises an answer."""
    problem = Problem("the request", f"it has {len(request)} bytes")
    raise BadModel("nothing is good enough", [problem], {"size": str(len(request))})


def prepare() -> Mapping[str, Function]:
    """What the pool's workers offer."""
    return {"identify": identify, "keep": keep, "refuse": refuse}


def prepare_badly() -> Mapping[str, Function]:
    """A preparation that fails."""
    raise ImportError("the framework isn't installed")


def prepare_fatally() -> Mapping[str, Function]:
    """A preparation that kills."""
    os.abort()
