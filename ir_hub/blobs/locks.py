"""Locks that the kernel gives back when their owner dies, whatever kills it.

`flock` works across processes and across containers that share a folder, where a process id
would mean another process or none.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, *, exclusive: bool) -> Iterator[None]:
    """Holds the lock file `path`, shared or exclusive; waits for it."""
    # A descriptor of its own: locks belong to it, so threads exclude each other too.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def own(descriptor: int) -> None:
    """Marks an open file or folder as in use until the descriptor is closed or we die."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_owned(path: Path) -> bool:
    """Whether a living process owns the file or folder (True if in doubt, False if gone)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except PermissionError:
        # Another user's: it can't be told, so it must be left alone.
        return True
    try:
        own(descriptor)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
