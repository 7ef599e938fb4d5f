"""Copies of files: shared extents where the file system can, else bytes; never hard links."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import uuid
from pathlib import Path

# ioctl number of FICLONE in linux/fs.h: makes a file share another one's extents, copy on write.
_FICLONE = 0x40049409


def clone(source: int, target: int) -> bool:
    """Makes the open file `target` share the bytes of `source`; False if that can't be done."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        # Whatever the reason: if it concerns a copy too, copying says so.
        return False
    return True


def materialise(source: Path, target: Path) -> None:
    """Puts a copy of `source` at `target`, which appears whole or not at all.

    The copy has the permissions of any new file of this user, and replaces a file that is there.
    """
    # Beside the target, so that the rename stays in one file system.
    temporary = target.with_name(f".{target.name[:64]}.{uuid.uuid4().hex}")
    try:
        with open(source, "rb") as reader, open(temporary, "xb") as writer:
            if not clone(reader.fileno(), writer.fileno()):
                shutil.copyfileobj(reader, writer, 1 << 20)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
