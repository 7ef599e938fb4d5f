"""How much memory processes take at most, sampled while they work."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping

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

    @contextlib.contextmanager
    def sampled(self) -> Iterator[None]:
        """Sample during the block those processes that run at its start."""
        # Not looked up again: that takes longer than a sample, and would slow what is measured.
        processes = list(self._named())
        stop = threading.Event()
        thread = threading.Thread(target=self._sample, args=(processes, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _named(self) -> Iterator[tuple[str, psutil.Process]]:
        for name, root in self._roots.items():
            yield name, root
            for child in root.children(recursive=True):
                yield f"{name} worker", child

    def _sample(self, processes: list[tuple[str, psutil.Process]], stop: threading.Event) -> None:
        while not stop.wait(_SAMPLE_SECONDS):
            for name, process in processes:
                with contextlib.suppress(psutil.Error):  # it may just have ended
                    used = process.memory_info().rss
                    self.peaks[name] = max(self.peaks.get(name, 0), used)
