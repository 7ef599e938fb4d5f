"""The content-addressed store of bytes, its service and its clients."""

from ir_hub.blobs.digest import InvalidDigest, check_digest, sha256
from ir_hub.blobs.errors import (
    BlobError,
    BlobNotFound,
    BlobServiceError,
    DigestMismatch,
    StoreFull,
)
from ir_hub.blobs.leases import Lease
from ir_hub.blobs.store import LocalStore

__all__ = [
    "BlobError",
    "BlobNotFound",
    "BlobServiceError",
    "DigestMismatch",
    "InvalidDigest",
    "Lease",
    "LocalStore",
    "StoreFull",
    "check_digest",
    "sha256",
]
