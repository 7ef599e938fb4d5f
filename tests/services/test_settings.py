"""An adapter's settings: flags first, then the environment, then the defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ir_hub.sdk.security import Listener
from ir_hub.sdk.settings import settings_from

STORE = {"IRHUB_ADAPTER_STORE": "/store"}


@pytest.mark.parametrize(
    ("flags", "environment", "name", "value"),
    [
        ([], STORE, "store", Path("/store")),
        (["--store=/other"], STORE, "store", Path("/other")),
        ([], STORE, "workers", 1),
        ([], {**STORE, "IRHUB_ADAPTER_WORKERS": "3"}, "workers", 3),
        (["--workers=2"], {**STORE, "IRHUB_ADAPTER_WORKERS": "3"}, "workers", 2),
        ([], {**STORE, "IRHUB_ADAPTER_TIME_LIMIT": "1.5"}, "time_limit", 1.5),
        ([], {**STORE, "IRHUB_ADAPTER_ALLOW_CODE": "true"}, "allow_code", True),
        ([], {**STORE, "IRHUB_ADAPTER_ALLOW_CODE": "0"}, "allow_code", False),
        (["--allow-code"], STORE, "allow_code", True),
        ([], {**STORE, "IRHUB_ADAPTER_OTLP_ENDPOINT": "http://c:1"}, "otlp_endpoint", "http://c:1"),
        ([], {**STORE, "IRHUB_STORE": "/hub"}, "store", Path("/store")),
        (
            ["--insecure"],
            {**STORE, "IRHUB_ADAPTER_ADDRESS": "0.0.0.0:1"},
            "listener",
            Listener("0.0.0.0:1", insecure=True),
        ),
        (
            ["--address=0.0.0.0:1"],
            {**STORE, "IRHUB_ADAPTER_TLS_CERT": "/c", "IRHUB_ADAPTER_TLS_KEY": "/k"},
            "listener",
            Listener("0.0.0.0:1", Path("/c"), Path("/k")),
        ),
    ],
)
def test_what_is_said_holds(
    flags: Sequence[str], environment: Mapping[str, str], name: str, value: object
) -> None:
    assert getattr(settings_from("toy", flags, environment), name) == value


@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        ([], {}, "--store"),
        ([], {**STORE, "IRHUB_ADAPTER_WORKERS": "many"}, "--workers"),
        (["--workers=0"], STORE, "there has to be a worker"),
        ([], {**STORE, "IRHUB_ADAPTER_ADDRESS": "0.0.0.0:1"}, "tls_cert"),
        (["--tls-cert=/c"], STORE, "together"),
        (["--otlp-endpoint=c:1"], STORE, "http://"),
        (["--metrics-address=9090"], STORE, "host:port"),
    ],
)
def test_what_makes_no_sense_is_refused(
    flags: Sequence[str],
    environment: Mapping[str, str],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        settings_from("toy", flags, environment)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err
