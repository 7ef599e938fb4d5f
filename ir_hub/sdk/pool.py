"""Runs functions in worker processes that may crash, hang or eat memory: only their job is lost.

One pipe a worker and no lock between workers: whatever kills one can't stop another. Workers are
spawned, never forked: the front has threads, and frameworks don't survive a fork.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ir_hub.sdk import telemetry
from ir_hub.sdk.errors import Busy, TimedOut, Unreachable, WorkerCrashed
from ir_hub.sdk.process import Process
from ir_hub.sdk.worker import Order, Prepare, Progress, job_folder, read_progress

Tell = Callable[[Progress], Awaitable[None]]

_POLL_SECONDS = 0.1
_PREPARE_SECONDS = 300.0
_RETRY_SECONDS = 2.0


@dataclass(frozen=True)
class Limits:
    """What a pool takes on, and what a job may use."""

    workers: int = 1
    """Jobs at a time."""
    waiting: int = 16
    """Jobs that wait for a worker; one more is refused."""
    seconds: float = 3600.0
    """How long a job may run, from when a worker takes it."""
    memory_bytes: int | None = None
    """How much memory a worker may have, mapped files not counted; None: no limit."""


async def ignore(_: Progress) -> None:
    """Takes progress and does nothing with it."""


class Pool:
    """Worker processes that have called `prepare`, and the functions that it returned by name.

    `prepare` is pickled: a module's function, or a functools.partial of one. Jobs get folders
    inside `scratch`, which are removed when they end, however they end.
    """

    def __init__(self, prepare: Prepare, limits: Limits, scratch: Path) -> None:
        self._prepare = prepare
        self._limits = limits
        self._scratch = scratch
        self.restarts = 0
        """How many workers others have taken the place of."""
        self._free = asyncio.Semaphore(limits.workers)
        self._waiting = 0
        self._idle: list[Process] = []
        self._all: set[Process] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def busy(self) -> int:
        """How many workers work."""
        return self._limits.workers - len(self._idle)

    @property
    def waiting(self) -> int:
        """How many jobs wait for a worker."""
        return self._waiting

    async def start(self) -> None:
        """Starts the workers and waits until they are prepared.

        Raises:
            AdapterError: one of them couldn't be.
        """
        self._idle = [self._hire() for _ in range(self._limits.workers)]
        try:
            await asyncio.gather(*(process.wait_ready(_PREPARE_SECONDS) for process in self._idle))
        except BaseException:
            await self.close()
            raise

    async def run(
        self,
        function: str,
        request: bytes,
        tell: Tell = ignore,
        bound: Mapping[str, str] | None = None,
    ) -> bytes:
        """Has a worker call a function, and returns what it returned. Cancelling this kills the
        worker at once. `bound` goes into the worker's log lines.

        Raises:
            AdapterError: the function's own; or Busy, TimedOut, WorkerCrashed, Unreachable.
        """
        await self._admit()
        process = self._idle.pop()
        folder = self._scratch / uuid.uuid4().hex
        try:
            folder.mkdir()
            trace = telemetry.handover()
            order = Order(function, request, folder, dict(bound or {}), trace)
            try:
                return await self._watched(process, order, tell)
            except WorkerCrashed:
                self._refuse_when_closed()
                if job_folder(folder).exists():
                    raise
            # Something killed the worker while it was idle: nobody's job is to blame.
            process = self._replacement(process)
            return await self._watched(process, order, tell)
        finally:
            # Goes on when this is cancelled: the worker is gone before its folder is.
            ending = asyncio.ensure_future(self._end(process, folder))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            await asyncio.shield(ending)

    async def close(self) -> None:
        """Kills the workers, and waits until nothing is left of them."""
        self._closed = True
        for process in self._all:
            process.kill()
        await asyncio.gather(*(process.reap() for process in tuple(self._all)))
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _admit(self) -> None:
        self._refuse_when_closed()
        if self._free.locked() and self._waiting >= self._limits.waiting:
            raise Busy(
                f"all {self._limits.workers} workers are busy and {self._waiting} calls are "
                "waiting; try again later",
                metadata={"retry_seconds": str(_RETRY_SECONDS)},
            )
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        if self._closed:
            self._free.release()
            self._refuse_when_closed()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise Unreachable("the service is stopping; try another one, or this one later")

    def _replacement(self, process: Process) -> Process:
        self._all.discard(process)
        self.restarts += 1
        return self._hire()

    def _hire(self) -> Process:
        process = Process(self._prepare)
        self._all.add(process)
        return process

    async def _watched(self, process: Process, order: Order, tell: Tell) -> bytes:
        await process.wait_ready(_PREPARE_SECONDS)
        reply = asyncio.create_task(process.perform(order))
        memory = asyncio.create_task(process.hold(self._limits.memory_bytes, _POLL_SECONDS))
        try:
            async with asyncio.timeout(self._limits.seconds):
                await _told(reply, order.folder, tell)
                return await reply
        except TimeoutError as error:
            raise TimedOut(
                f"{order.function} ran for {self._limits.seconds:g} s, the service's limit, and "
                "was stopped: give the service more time, or the model less to do",
                metadata={"limit_seconds": f"{self._limits.seconds:g}"},
            ) from error
        finally:
            memory.cancel()
            reply.cancel()

    async def _end(self, process: Process, folder: Path) -> None:
        """Keeps or replaces the worker, removes the folder, lets the next job in."""
        try:
            if not process.is_reusable(self._limits.memory_bytes):
                process.kill()
                await process.reap()
                process = process if self._closed else self._replacement(process)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        finally:
            self._idle.append(process)
            self._free.release()


async def _told(reply: asyncio.Task[bytes], folder: Path, tell: Tell) -> None:
    """Passes on what the job says of its progress until its reply is there."""
    said = None
    while True:
        done, _ = await asyncio.wait({reply}, timeout=_POLL_SECONDS)
        news = read_progress(folder)
        if news is not None and news != said:
            said = news
            await tell(news)
        if done:
            return
