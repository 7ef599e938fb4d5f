"""How much memory processes take at most, sampled while they work."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

import psutil

_SAMPLE_SECONDS = 0.02


class Memory:
    """Samples the resident memory of processes and of the processes that they started.

    `peaks` has the greatest seen, in bytes, by name: "hub" for the process of that name, "hub
    worker" for the largest of those it started. Mapped files count where they are resident.
    """

    def __init__(self, processes: Mapping[str, int]) -> None:
        self.peaks: dict[str, int] = {}
        self._roots = {name: psutil.Process(pid) for name, pid in processes.items()}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            for name, process in self._named():
                with contextlib.suppress(psutil.Error):  # it may just have ended
                    used = process.memory_info().rss
                    self.peaks[name] = max(self.peaks.get(name, 0), used)

    def _named(self) -> Iterator[tuple[str, psutil.Process]]:
        for name, root in self._roots.items():
            yield name, root
            with contextlib.suppress(psutil.Error):
                for child in root.children(recursive=True):
                    yield f"{name} worker", child
