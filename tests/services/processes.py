"""Services of adapters as processes of their own, and what is left of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from ir_hub.blobs import LocalStore

ROOT = Path(__file__).parents[2]


@dataclass
class Service:
    """A running service, its store, and where its log goes."""

    process: subprocess.Popen[str]
    address: str
    store: LocalStore
    log: Path

    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "spawn_main" in command(child)]

    def leftovers(self) -> list[Path]:
        """Files of jobs that haven't been removed."""
        return [path for path in (self.store.root / "scratch").rglob("*") if path.is_file()]


def start(module: str, folder: Path, *flags: str) -> Service:
    """Runs a module that serves an adapter, and waits until it does."""
    store, log = folder / "store", folder / "log"
    with open(log, "w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--store", str(store), *flags],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the service didn't start: {log.read_text()}"
    ready = json.loads(line)
    assert ready["pid"] == process.pid
    return Service(process, ready["address"], LocalStore(store), log)


def command(process: psutil.Process) -> str:
    """The command line of a process; empty when it has died."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether something comes to hold within so many seconds."""
    end = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.02)
    return held
