"""Runs a hub: `python -m ir_hub.hub --help`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from ir_hub.hub.database import DatabaseUnusable
from ir_hub.hub.server import serve
from ir_hub.hub.settings import BadSettings, Settings, load
from ir_hub.sdk.errors import AdapterError
from ir_hub.sdk.logs import log_as_json


def main() -> None:
    """Serves until it is told to stop; status 1 when it can't, 2 when it is misused."""
    parser = argparse.ArgumentParser(
        prog="python -m ir_hub.hub",
        description="Runs a hub. Each flag can also be set in the environment (--store-bytes as "
        "IRHUB_STORE_BYTES) or in config.toml in the home folder (store_bytes = ...).",
    )
    for name, setting in Settings.model_fields.items():
        flag, description = f"--{name.replace('_', '-')}", f"{setting.description}"
        if setting.annotation is bool:
            parser.add_argument(flag, action="store_const", const=True, help=description)
            continue
        default = "" if setting.default in (None, "") else f" (default: {setting.default})"
        parser.add_argument(flag, metavar=name.upper(), help=description + default)
    try:
        settings = load(**vars(parser.parse_args()))
    except BadSettings as error:
        parser.error(str(error))
    log_as_json()
    try:
        asyncio.run(serve(settings))
    except (DatabaseUnusable, AdapterError, ValueError, OSError, RuntimeError) as error:
        sys.exit(f"the hub can't run: {error}")


if __name__ == "__main__":
    main()
