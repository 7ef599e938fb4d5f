"""A worker process from within: it takes requests, calls functions, answers with bytes.

It never sends anything that the front would have to unpickle: what ran a stranger's model isn't
to be trusted.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import math
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import structlog

from ir_hub.sdk import telemetry
from ir_hub.sdk.errors import BadRequest, Internal
from ir_hub.sdk.logs import log_as_json
from ir_hub.sdk.status import answer, to_status

DONE, FAILED = b"+", b"-"  # the first byte of an answer: a result, or a google.rpc.Status

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_MESSAGE_CHARACTERS = 200
_PROGRESS_BYTES = 4096


class Progress(NamedTuple):
    """How far a job is: what is being done, and a fraction from 0 to 1."""

    message: str
    fraction: float


@dataclass(frozen=True)
class Job:
    """What a function gets besides its request: a way to say how far it is, and a folder that is
    its own until it ends."""

    progress: Callable[[str, float], None]
    scratch: Path


Function = Callable[[bytes, Job], bytes]
Prepare = Callable[[], Mapping[str, Function]]


@dataclass(frozen=True)
class Order:
    """What a worker is told to do; `folder` is the job's, `bound` what its log lines carry,
    `trace` what its span belongs to."""

    function: str
    request: bytes
    folder: Path
    bound: Mapping[str, str]
    trace: telemetry.Handover | None = None


def work(connection: Connection, prepare: Prepare) -> None:
    """Prepares once, then works until the front closes the connection. The main of the process."""
    _detach()
    log_as_json()
    try:
        functions = prepare()
    except BaseException as error:
        connection.send_bytes(_failure(error))
        return
    connection.send_bytes(DONE)
    while True:
        try:
            order: Order = connection.recv()
        except EOFError:
            return
        with (
            structlog.contextvars.bound_contextvars(**order.bound),
            telemetry.taken_over(order.trace, f"worker {order.function}"),
        ):
            reply = _perform(functions, order)
        connection.send_bytes(reply)


def read_progress(folder: Path) -> Progress | None:
    """What the job in a folder said last, if it said anything."""
    try:
        with open(folder / "progress", "rb") as file:
            message, fraction = json.loads(file.read(_PROGRESS_BYTES))
        return Progress(str(message)[:_MESSAGE_CHARACTERS], _within(float(fraction)))
    except (OSError, ValueError, TypeError):
        return None


def job_folder(folder: Path) -> Path:
    """The part of a job's folder that is the function's own."""
    return folder / "work"


def _perform(functions: Mapping[str, Function], order: Order) -> bytes:
    try:
        function = functions.get(order.function)
        if function is None:
            raise BadRequest(f"there is no function {order.function!r}")
        own = job_folder(order.folder)
        own.mkdir()
        job = Job(lambda message, fraction: _tell(order.folder, message, fraction), own)
        return DONE + function(order.request, job)
    except BaseException as error:  # sys.exit and the like must not look like a crash
        return _failure(error)


def _failure(error: BaseException) -> bytes:
    meant = answer(error)
    if isinstance(meant, Internal):
        structlog.get_logger().error("worker failed", exc_info=error)
    status: bytes = to_status(meant).SerializeToString()
    return FAILED + status


def _tell(folder: Path, message: str, fraction: float) -> None:
    # A rename, so that the front never reads half a line, whenever we are killed.
    new = folder / "progress.new"
    new.write_text(json.dumps([message[:_MESSAGE_CHARACTERS], _within(fraction)]))
    new.rename(folder / "progress")


def _within(fraction: float) -> float:
    return 0.0 if math.isnan(fraction) else min(max(fraction, 0.0), 1.0)


def _detach() -> None:
    """Makes this process one that Ctrl-C doesn't reach, that a signal kills along with its own
    children, that doesn't outlive the front, and that can't write to the front's output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.dup2(sys.stderr.fileno(), 1)
    faulthandler.enable()
    if sys.platform == "linux":
        # Reaches a worker that hangs in native code too, where no thread of Python's could run.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    with suppress(ProcessLookupError):
        os.killpg(0, signal.SIGKILL)
