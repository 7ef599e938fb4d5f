"""A worker process from without: started, told what to do, watched, and killed when need be."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from contextlib import suppress

import psutil
from google.rpc import status_pb2

from ir_hub.sdk.errors import AdapterError, TimedOut, WorkerCrashed
from ir_hub.sdk.status import from_status
from ir_hub.sdk.worker import DONE, FAILED, Order, Prepare, work

_SPAWN = multiprocessing.get_context("spawn")
_REPLY_BYTES = 256 << 20
_REAP_SECONDS = 10.0
_EXIT_SECONDS = 1.0


class Process:
    """One worker. To be made on the event loop's own thread, which the worker doesn't outlive."""

    def __init__(self, prepare: Prepare) -> None:
        self.peak_bytes = 0
        self._busy = False
        self._over_bytes: int | None = None
        self._connection, theirs = _SPAWN.Pipe()
        # A daemon, so that an exit of the front that forgets it doesn't wait for it.
        self._process = _SPAWN.Process(target=work, args=(theirs, prepare), daemon=True)
        self._process.start()
        theirs.close()
        self._ready = asyncio.ensure_future(self.receive("its preparation"))
        self._ready.add_done_callback(_retrieved)

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    def is_reusable(self, memory_bytes: int | None) -> bool:
        """Whether it may take another job. One that keeps more than half of the memory limit
        after a job may not."""
        failed = self._ready.done() and (self._ready.cancelled() or self._ready.exception())
        if self._busy or failed or not self.is_alive():
            return False
        return memory_bytes is None or self._memory() * 2 <= memory_bytes

    async def wait_ready(self, seconds: float) -> None:
        """Waits until it is prepared.

        Raises:
            AdapterError: its preparation failed, or took too long.
        """
        try:
            async with asyncio.timeout(seconds):
                # Others may wait too: one that is cancelled mustn't take the answer along.
                await asyncio.shield(self._ready)
        except TimeoutError as error:
            self.kill()
            raise TimedOut(f"a worker wasn't ready after {seconds:g} s") from error

    async def perform(self, order: Order) -> bytes:
        """Tells it what to do, and returns its answer; errors as in `receive`."""
        self._busy = True
        self._over_bytes = None
        self.peak_bytes = self._memory()
        with suppress(BrokenPipeError):  # `receive` says what became of it
            # Not on the loop: a worker that doesn't read would stop everything.
            await asyncio.to_thread(self._connection.send, order)
        return await self.receive(order.function)

    async def receive(self, doing: str) -> bytes:
        """Its answer.

        Raises:
            AdapterError: the answer is an error.
            WorkerCrashed: it died instead; `doing` is what it was at.
        """
        try:
            await self._readable()
            reply = await asyncio.to_thread(self._connection.recv_bytes, _REPLY_BYTES)
        except (EOFError, OSError) as error:
            raise await self._crashed(doing) from error
        self._busy = False
        if reply.startswith(DONE):
            return reply[len(DONE) :]
        raise from_status(status_pb2.Status.FromString(reply[len(FAILED) :]))

    async def hold(self, limit_bytes: int | None, poll_seconds: float) -> None:
        """Notes the memory it takes, and kills it when that exceeds the limit; never ends."""
        while True:
            used = self._memory()
            self.peak_bytes = max(self.peak_bytes, used)
            if limit_bytes is not None and used > limit_bytes:
                self._over_bytes = limit_bytes
                self.kill()
            await asyncio.sleep(poll_seconds)

    def kill(self) -> None:
        """Ends it and its children, whatever they are doing."""
        if self._process.pid is not None:
            # Its group, unless it died before it made itself one.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    async def reap(self) -> None:
        """Waits until it is gone."""
        await asyncio.to_thread(self._process.join, _REAP_SECONDS)
        self._ready.cancel()
        await asyncio.gather(self._ready, return_exceptions=True)
        self._connection.close()

    async def _readable(self) -> None:
        # Not a thread that waits: there would have to be as many of them as workers.
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        descriptor = self._connection.fileno()
        loop.add_reader(descriptor, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(descriptor)

    async def _crashed(self, doing: str) -> AdapterError:
        # It may also have closed the connection without dying.
        await asyncio.to_thread(self._process.join, _EXIT_SECONDS)
        self.kill()
        await asyncio.to_thread(self._process.join, _REAP_SECONDS)
        code = self._process.exitcode
        metadata = {"peak_memory_bytes": str(self.peak_bytes)}
        if code is not None and code < 0:
            cause = metadata["signal"] = signal.Signals(-code).name
        else:
            cause = metadata["exit_code"] = str(code)
        at = f"at {self.peak_bytes / 2**20:.0f} MiB of memory"
        if self._over_bytes is not None:
            metadata["memory_limit_bytes"] = str(self._over_bytes)
            at += f", beyond the limit of {self._over_bytes / 2**20:.0f} MiB: give it more"
        return WorkerCrashed(
            f"the worker process died ({cause}) during {doing}, {at}; a new one takes its place",
            metadata=metadata,
        )

    def _memory(self) -> int:
        """Bytes of its own: pages of mapped files aren't, the kernel takes them back at will."""
        try:
            info = psutil.Process(self._process.pid).memory_info()
        except psutil.Error:
            return 0
        return int(info.rss - getattr(info, "shared", 0))


def _retrieved(task: asyncio.Future[bytes]) -> None:
    # Whoever needs the worker is told by wait_ready; if nobody does, nobody has to be warned.
    if not task.cancelled():
        task.exception()
