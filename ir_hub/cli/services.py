"""`irhub up`, `down`, `status` and `adapters`: the services and their environments."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from ir_hub import environments
from ir_hub.cli import adapters as own
from ir_hub.cli.errors import UsageError, reported
from ir_hub.cli.local import LocalServices, installed
from ir_hub.cli.plain import plain
from ir_hub.cli.session import ERR, OUT, running_hub, settings
from ir_hub.sdk.adapter import Format
from irhub.hub.v1 import hub_pb2

adapters = typer.Typer(help="The adapters: what there is, what each can do, how to get it.")


def up(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ADAPTER]...", help="Else all installed ones.")
    ] = None,
) -> None:
    """Start the hub and adapters. `convert` does that by itself, for what it needs.

    irhub up

    irhub up onnx pytorch
    """
    with reported(ERR):
        now = settings()
        wanted = names or installed(list(own.known()), now)
        _check(wanted)
        LocalServices(now, ERR.print).ensure(wanted)
        _print_services()


def down() -> None:
    """Stop the hub and all adapters on this machine. What runs goes on at the next start."""
    with reported(ERR):
        stopped = LocalServices(settings()).stop()
        OUT.print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


def status() -> None:
    """Show which services run on this machine."""
    with reported(ERR):
        _print_services()


@adapters.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Options, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show the adapters: what each reads and writes, whether it is installed and runs.

    irhub adapters

    irhub adapters install onnx pytorch
    """
    if context.invoked_subcommand is not None:
        return
    with reported(ERR):
        now = settings()
        there = set(installed(list(own.known()), now))
        with running_hub() as client:
            found = {s.framework: s for s in client.adapters()} if client else {}
        if as_json:
            sys.stdout.write(json.dumps(_as_json(there, found), indent=2) + "\n")
        else:
            _print_adapters(there, found, verbose=verbose)


@adapters.command()
def install(
    names: Annotated[list[str], typer.Argument(metavar="ADAPTER...", help="onnx, pytorch, ...")],
) -> None:
    """Build the environments of adapters, or bring them up to date.

    irhub adapters install onnx pytorch
    """
    with reported(ERR):
        _check(names)
        environments.install(names, settings().home, report=ERR.print)


def _check(names: list[str]) -> None:
    unknown = sorted(set(names) - set(own.known()))
    if unknown:
        raise UsageError(f"no adapter {', '.join(unknown)}; there is {', '.join(own.known())}")


def _print_services() -> None:
    now = settings()
    running = LocalServices(now).running()
    if not running:
        OUT.print("nothing is running; `irhub up` starts the services")
        return
    table = Table("service", "address", "process", "answers", box=None, pad_edge=False)
    for name, service in running.items():
        answers = "[green]yes[/]" if service.answers(now, 2.0) else "[red]no[/]"
        table.add_row(name, service.address, str(service.pid), answers)
    OUT.print(table)


def _print_adapters(
    there: set[str], found: dict[str, hub_pb2.AdapterStatus], *, verbose: bool
) -> None:
    table = Table("adapter", "reads", "writes", "ops", "version", "state", box=None, pad_edge=False)
    for name, adapter in sorted(own.known().items()):
        status = found.get(name)
        runs = status is not None and status.healthy
        table.add_row(
            name,
            _formats(adapter.reads),
            _formats(adapter.writes),
            str(len(status.description.ops)) if status and runs else "",
            plain(status.description.framework_version) if status and runs else "",
            _state(name, there, status),
        )
    OUT.print(table)
    for name, adapter in sorted(own.known().items()) if verbose else ():
        for option in adapter.options:
            said = f"{option.description} Default: {option.default or 'none'}."
            OUT.print(f"{name} {option.stage} [bold]{option.name}[/]: {plain(said)}")


def _formats(formats: Sequence[Format]) -> str:
    """A line a format: its name, and how its files' names end."""
    return "\n".join(f"{each.name} ({' '.join(each.suffixes)})" for each in formats) or "-"


def _state(name: str, there: set[str], status: hub_pb2.AdapterStatus | None) -> str:
    if status is not None:
        return "[green]running[/]" if status.healthy else f"[red]{plain(status.problem)}[/]"
    return "installed" if name in there else f"[dim]irhub adapters install {name}[/]"


def _as_json(there: set[str], found: dict[str, hub_pb2.AdapterStatus]) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "reads": [asdict(each) for each in adapter.reads],
            "writes": [asdict(each) for each in adapter.writes],
            "options": [asdict(each) for each in adapter.options],
            "installed": name in there,
            "running": name in found and found[name].healthy,
            "version": found[name].description.framework_version if name in found else "",
            "ops": list(found[name].description.ops) if name in found else [],
        }
        for name, adapter in sorted(own.known().items())
    ]
