"""Digests: the names of blobs, checked before they become paths."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

Data = bytes | bytearray | memoryview

_DIGEST = re.compile(r"[0-9a-f]{64}")

EMPTY_DIGEST = hashlib.sha256(b"").hexdigest()


class InvalidDigest(ValueError):
    """A text that should name a blob doesn't."""


def is_digest(text: str) -> bool:
    """Whether a text is 64 lowercase hexadecimal digits."""
    return _DIGEST.fullmatch(text) is not None


def check_digest(text: str) -> str:
    """The text itself, if it is 64 lowercase hexadecimal digits; else InvalidDigest."""
    if not is_digest(text):
        raise InvalidDigest(
            f"{text[:80]!r} is not a digest: give the SHA-256 as 64 lowercase hexadecimal digits"
        )
    return text


def sha256(data: Data) -> str:
    """The digest of bytes in memory."""
    return hashlib.sha256(data).hexdigest()


def digest_of(path: Path) -> str:
    """The digest of a file's content."""
    with open(path, "rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def as_bytes(data: Data) -> memoryview:
    """The bytes behind any contiguous buffer, whatever its shape and element type."""
    view = memoryview(data)
    return view.cast("B") if view.nbytes else memoryview(b"")
