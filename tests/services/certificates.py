"""Certificates for tests, made by the `openssl` command."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="makes its certificates with openssl"
)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    cert: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """An authority of a test's own, in a folder."""

    folder: Path
    ca: Path

    def issue(self, name: str) -> Pair:
        """A certificate for localhost and its addresses, for servers and clients alike."""
        key, request, cert = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.folder / "extensions"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        _openssl("req", *_NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        signed = ("-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial")
        _openssl(
            "x509", "-req", "-in", request, *signed, "-days", "1", "-extfile", extensions,
            "-out", cert,
        )  # fmt: skip
        return Pair(cert, key)


def authority(folder: Path) -> Authority:
    """A new authority."""
    folder.mkdir()
    made = Authority(folder, folder / "ca.pem")
    named = ("-subj", f"/CN={folder.name}", "-days", "1")
    _openssl("req", "-x509", *_NEW_KEY, "-keyout", folder / "ca.key", "-out", made.ca, *named)
    return made


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
