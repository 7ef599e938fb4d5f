"""The worker pool without any adapter, as the hub uses it for its own compute."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from ir_hub.sdk.errors import BadModel, BadRequest, Internal, Problem, Unreachable, WorkerCrashed
from ir_hub.sdk.pool import Limits, Pool
from ir_hub.sdk.worker import Prepare
from tests.services import jobs

MIB = 1 << 20


def use(
    folder: Path,
    act: Callable[[Pool], Awaitable[None]],
    limits: Limits,
    prepare: Prepare = jobs.prepare,
) -> None:
    """Acts with a pool; afterwards none of its processes and files is left."""

    async def acted() -> None:
        pool = Pool(prepare, limits, folder)
        try:
            await pool.start()
            await act(pool)
        finally:
            await pool.close()

    asyncio.run(acted())
    children = psutil.Process().children(recursive=True)
    assert [child for child in children if "spawn_main" in " ".join(child.cmdline())] == []
    assert list(folder.iterdir()) == []


def test_workers_work_side_by_side_and_again(tmp_path: Path) -> None:
    async def act(pool: Pool) -> None:
        first = await asyncio.gather(*(pool.run("identify", b"0.3") for _ in range(2)))
        again = await asyncio.gather(*(pool.run("identify", b"0") for _ in range(6)))
        assert len(set(first)) == 2
        assert set(again) <= set(first)

    use(tmp_path, act, Limits(workers=2))


def test_an_answer_that_is_an_error_arrives_whole(tmp_path: Path) -> None:
    async def act(pool: Pool) -> None:
        with pytest.raises(BadModel, match="nothing is good enough") as caught:
            await pool.run("refuse", b"x" * MIB)
        assert caught.value.problems == (Problem("the request", f"it has {MIB} bytes"),)
        assert caught.value.metadata == {"size": str(MIB)}
        with pytest.raises(BadRequest, match="no function 'fly'"):
            await pool.run("fly", b"")

    use(tmp_path, act, Limits())


def test_a_worker_that_keeps_memory_is_replaced(tmp_path: Path) -> None:
    async def act(pool: Pool) -> None:
        thrifty = [await pool.run("keep", b"1") for _ in range(2)]
        assert thrifty[0] == thrifty[1]
        assert await pool.run("keep", str(200 * MIB).encode()) == thrifty[0]
        assert await pool.run("keep", b"1") != thrifty[0]

    use(tmp_path, act, Limits(memory_bytes=300 * MIB))


def test_a_preparation_that_fails_is_reported(tmp_path: Path) -> None:
    async def act(pool: Pool) -> None:
        raise AssertionError("the pool started")

    with pytest.raises(Internal, match="the framework isn't installed"):
        use(tmp_path, act, Limits(), jobs.prepare_badly)
    with pytest.raises(WorkerCrashed, match="SIGABRT"):
        use(tmp_path, act, Limits(), jobs.prepare_fatally)


def test_closing_ends_what_runs_and_what_waits(tmp_path: Path) -> None:
    async def act(pool: Pool) -> None:
        calls = [asyncio.create_task(pool.run("identify", b"60")) for _ in range(3)]
        await asyncio.sleep(0.5)
        await pool.close()
        ended = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 5)
        assert [type(error) for error in ended] == [Unreachable] * 3

    use(tmp_path, act, Limits())


def test_a_cancelled_caller_that_waits_costs_no_worker(tmp_path: Path) -> None:
    async def act(pool: Pool) -> None:
        running = asyncio.create_task(pool.run("identify", b"0.5"))
        waiting = asyncio.create_task(pool.run("identify", b"0"))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await pool.run("identify", b"0") == await running

    use(tmp_path, act, Limits())


def test_a_worker_that_dies_idle_costs_no_call(tmp_path: Path) -> None:
    async def act(pool: Pool) -> None:
        for _ in range(5):
            worker = int(await pool.run("identify", b"0"))
            os.kill(worker, signal.SIGKILL)
            assert int(await pool.run("identify", b"0")) != worker

    use(tmp_path, act, Limits())
