"""`irhub store` and `irhub config`: what is kept on this machine, and how irhub is set up."""

from __future__ import annotations

import re
from typing import Annotated

import typer
from rich.table import Table

from ir_hub.blobs import LocalStore
from ir_hub.cli.errors import UsageError, reported
from ir_hub.cli.plain import plain
from ir_hub.cli.session import ERR, OUT, settings
from ir_hub.hub.settings import FILE, Settings

store = typer.Typer(help="The store of models and results.", no_args_is_help=True)

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)b?", re.IGNORECASE)


@store.command()
def info() -> None:
    """Show where the store is and how much it holds."""
    with reported(ERR):
        now = settings()
        used = LocalStore(now.store, now.store_bytes).used_bytes()
        limit = f" of {now.store_bytes / 1e9:.1f} GB" if now.store_bytes else ""
        OUT.print(f"{now.store}: {used / 1e9:.2f} GB{limit}")


@store.command()
def prune(
    to: Annotated[str, typer.Option("--to", help="How much may stay: 20GB, 500MB, 0.")] = "0",
) -> None:
    """Remove what was used least recently, until so much is left.

    What a running conversion holds, and what was used within five minutes, stays. Results that
    are removed are computed again when they are needed.

    irhub store prune --to 20GB
    """
    with reported(ERR):
        now = settings()
        removed = LocalStore(now.store, now.store_bytes).prune(_bytes(to))
        freed = sum(blob.size for blob in removed)
        OUT.print(f"removed {len(removed)} blobs, {freed / 1e9:.2f} GB")


def config() -> None:
    """Show the settings that hold, and how to change them."""
    with reported(ERR):
        now = settings()
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold")
        table.add_column()
        table.add_column(style="dim")
        for name, setting in Settings.model_fields.items():
            value = getattr(now, name)
            table.add_row(name, plain(str(value)), setting.description or "")
        OUT.print(table)
        OUT.print(f"\nChange one in {now.home / FILE} (workers = 4), or as IRHUB_WORKERS=4.")


def _bytes(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"--to {text!r}: write a size such as 20GB, 500MB or 0")
    return int(float(found[1]) * _UNITS[found[2].lower()])
