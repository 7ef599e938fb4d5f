"""The secrets of one run: an authority, a certificate for all services, a token."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path

_GROUP = 10001  # the pods', as a secret's fsGroup
_NEW = (
    *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
    *("-days", "2"),
)


def write(folder: Path, names: Sequence[str]) -> None:
    """Writes the secrets that the chart asks for: a certificate of its own authority, for services
    of these names, and a token."""
    tls, tokens = folder / "irhub-tls", folder / "irhub-tokens"
    tls.mkdir(parents=True)
    tokens.mkdir()
    authority = ("-CA", tls / "ca.crt", "-CAkey", folder / "ca.key")
    _openssl(*_NEW, "-subj", "/CN=e2e authority", "-keyout", authority[3], "-out", authority[1])
    _openssl(
        *(*_NEW, "-subj", "/CN=irhub", *authority),
        *("-addext", f"subjectAltName={','.join(f'DNS:{name}' for name in names)}"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-keyout", tls / "tls.key", "-out", tls / "tls.crt"),
    )
    (tokens / "tokens").write_text(f"# of this run\n{secrets.token_urlsafe()}\n")
    for file in (*tls.iterdir(), *tokens.iterdir()):
        file.chmod(0o440)
        os.chown(file, 0, _GROUP)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
