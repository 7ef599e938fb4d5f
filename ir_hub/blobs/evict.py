"""What leaves a store: blobs that nobody holds or uses, and what dead processes left behind."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Set
from contextlib import suppress

from ir_hub.blobs.leases import held_digests
from ir_hub.blobs.locks import is_owned, locked
from ir_hub.blobs.places import Entry, Places
from ir_hub.ir.tensor import Blob

Keep = Callable[[str], bool] | Set[str]


def prune(
    places: Places, limit_bytes: int, older_than: float, keep: Keep = frozenset()
) -> list[Blob]:
    """Removes least recently used blobs until the rest is at most `limit_bytes`.

    Blobs that a live lease names, that `keep` contains or says yes to, or that were used within
    the last `older_than` seconds stay, even if the store then remains above the limit.
    Returns what was removed.
    """
    sweep(places)
    entries = sorted(places.entries(), key=lambda entry: entry.used)
    excess = sum(entry.size for entry in entries) - limit_bytes
    newest = time.time() - older_than
    kept = keep if callable(keep) else keep.__contains__
    removed = []
    with locked(places.lock, exclusive=True):
        held = held_digests(places)
        for entry in entries:
            if excess <= 0 or entry.used > newest:
                break
            if entry.digest in held or kept(entry.digest) or not _remove(places, entry):
                continue
            removed.append(Blob(entry.digest, entry.size))
            excess -= entry.size
    return removed


def sweep(places: Places) -> None:
    """Removes the scratch files, scratch folders and leases of dead processes."""
    with locked(places.lock, exclusive=True):
        for path in (*places.scratch.iterdir(), *places.leases.iterdir()):
            if is_owned(path):
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _remove(places: Places, entry: Entry) -> bool:
    path = places.blob(entry.digest)
    # Gone already: another process is pruning too.
    with suppress(FileNotFoundError):
        if path.stat().st_mtime == entry.used:
            path.unlink()
            places.mark(entry.digest).unlink(missing_ok=True)
            return True
    return False
