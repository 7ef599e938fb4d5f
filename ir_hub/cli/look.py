"""`irhub inspect`, `explain` and `recover`: models looked at."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ir_hub.cli import arguments
from ir_hub.cli import convert as converting
from ir_hub.cli.errors import reported
from ir_hub.cli.plain import plain
from ir_hub.cli.session import ERR, OUT, hub
from ir_hub.hub.bundle import SUFFIX
from ir_hub.hub.plan import IR
from irhub.hub.v1 import hub_pb2

_Sources = Annotated[
    list[Path],
    typer.Argument(metavar="SRC...", help="The model's file or folder, then further files."),
]
_From = Annotated[
    str, typer.Option("--from", "-f", help="The source's framework; else told from SRC.")
]
_Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", metavar="NAME=SHAPE[:TYPE]", help="As for `irhub convert`."),
]
_NEAR = " almost applies at "


def inspect(
    sources: _Sources,
    source: _From = "",
    inputs: _Inputs = None,
    text: Annotated[bool, typer.Option("--text", help="Print the whole graph as text.")] = False,
    recover: Annotated[
        bool, typer.Option("--recover", help="Recover high-level ops first.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Show what is in a model: its ops, its inputs and outputs, its weights.

    irhub inspect model.onnx

    irhub inspect model.onnx --recover --text | less
    """
    with reported(ERR):
        found, content = _inspected(sources, source, inputs, recover=recover)
        ops = dict(sorted(found.ops.items(), key=lambda item: (-item[1], item[0])))
        if text:
            sys.stdout.write(content + "\n")
        elif as_json:
            figures = {"ops": ops, "parameters": found.parameters, "notes": list(found.notes)}
            sys.stdout.write(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
        else:
            OUT.print(_table(sources[0], found, ops, content))
            for note in found.notes:
                if _NEAR not in note:
                    ERR.print(f"[yellow]note:[/] {plain(note)}", soft_wrap=True)


def explain(sources: _Sources, source: _From = "", inputs: _Inputs = None) -> None:
    """Show where recover almost found a high-level op, and why it didn't.

    irhub explain model.onnx
    """
    with reported(ERR):
        found, _ = _inspected(sources, source, inputs, recover=True)
        near = [note for note in found.notes if _NEAR in note]
        for note in near:
            OUT.print(plain(note), soft_wrap=True)
        if not near:
            ERR.print("Nothing was nearly recovered: every rule applied, or was far from it.")


def recover(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A model, such as m.ir.")],
    out: Annotated[Path, typer.Option("--output", "-o", help="The .ir file to write.")],
    no_check: Annotated[bool, typer.Option("--no-check", help="Don't compare.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report, as JSON.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Recover the high-level ops of a model, IR in, IR out, and prove that nothing changed.

    irhub recover m.ir -o r.ir
    """
    if out.suffix != SUFFIX:
        raise typer.BadParameter(f"the result is a file that ends in {SUFFIX}")
    converting.convert([source], IR, out, no_check=no_check, as_json=as_json, force=force)


def _inspected(
    sources: list[Path], source: str, inputs: list[str] | None, *, recover: bool
) -> tuple[hub_pb2.InspectModelResponse, str]:
    readers = converting.readers_of(sources[0], source)
    with hub(readers) as client:
        types = arguments.input_types(inputs or [])
        found = client.inspect(client.upload(sources), source, types, recover=recover)
        return found, client.read(found.text).decode()


def _table(
    source: Path, found: hub_pb2.InspectModelResponse, ops: dict[str, int], content: str
) -> Table:
    lines = content.splitlines()
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column()
    table.add_row("model", plain(source.name))
    table.add_row("", plain(lines[0].removeprefix("# ")))
    for kind in ("inputs", "outputs"):
        line = next((line for line in lines if line.startswith(kind)), "")
        table.add_row(kind, plain(line.removeprefix(kind).strip()))
    table.add_row("parameters", f"{found.parameters:,}")
    table.add_row("nodes", f"{sum(ops.values()):,}")
    for op, count in ops.items():
        table.add_row("", f"{count:>6,}  {plain(op)}")
    return table
