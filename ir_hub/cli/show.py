"""What a person sees: progress by stage while it runs, a summary when it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table

from ir_hub.cli.plain import plain
from ir_hub.client import ENDED
from irhub.hub.v1 import hub_pb2

_STATE = hub_pb2.Stage
_MARKS = {
    _STATE.STATE_DONE: "[green]done[/]",
    _STATE.STATE_FAILED: "[red]failed[/]",
    _STATE.STATE_SKIPPED: "[dim]skipped[/]",
}


def follow(updates: Iterable[hub_pb2.Conversion], console: Console) -> Iterator[hub_pb2.Conversion]:
    """Passes a conversion's updates on, and shows them: bars in a terminal, lines elsewhere."""
    if not console.is_terminal:
        yield from _as_lines(updates, console)
        return
    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description:<9}"),
        BarColumn(24),
        TextColumn("{task.fields[said]}"),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}
        for conversion in updates:
            ended = conversion.state in ENDED
            for stage in conversion.stages:
                if stage.name not in tasks:
                    tasks[stage.name] = progress.add_task(stage.name, total=1.0, said="")
                progress.update(
                    tasks[stage.name],
                    completed=_completed(stage),
                    said=_said(stage),
                    # What wasn't reached isn't waited for any more.
                    visible=not ended or stage.state in _MARKS,
                )
            yield conversion


def summary(
    conversion: hub_pb2.Conversion, source: str, output: Path, written: Iterable[Path]
) -> Table:
    """What a conversion did, as a table."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column()
    done, seconds = conversion.summary, sum(stage.seconds for stage in conversion.stages)
    table.add_row("converted", plain(f"{source} to {conversion.spec.target}: {output}"))
    table.add_row("nodes", f"{done.nodes_in:,} read, {done.nodes_out:,} written")
    table.add_row("recovered", _recovered(done))
    table.add_row("parameters", f"{done.parameters:,}")
    if done.all_transposes:
        table.add_row("transposes", f"{done.all_transposes}, {done.transposes} of them new")
    if done.code_lines:
        table.add_row("code", f"{done.code_lines:,} lines")
    table.add_row("compared", _compared(conversion))
    for place, path in enumerate(written):
        table.add_row("" if place else "files", plain(f"{path} ({_size(path)})"))
    cached = sum(stage.cached for stage in conversion.stages)
    reused = f", {cached} stages known from an earlier conversion" if cached else ""
    table.add_row("time", f"{seconds:.1f} s{reused}")
    return table


def notes(conversion: hub_pb2.Conversion, console: Console) -> None:
    """What a person should know of a conversion, a line each."""
    for note in conversion.notes:
        console.print(f"[yellow]note:[/] {plain(note)}", highlight=False, soft_wrap=True)


def _as_lines(
    updates: Iterable[hub_pb2.Conversion], console: Console
) -> Iterator[hub_pb2.Conversion]:
    said: set[str] = set()
    for conversion in updates:
        for stage in conversion.stages:
            if stage.state not in _MARKS:
                break
            if stage.name not in said:
                said.add(stage.name)
                console.print(f"{stage.name:<9} {_said(stage)}", highlight=False)
        yield conversion


def _completed(stage: hub_pb2.Stage) -> float:
    return 1.0 if stage.state in _MARKS else min(stage.progress, 0.99)


def _said(stage: hub_pb2.Stage) -> str:
    if stage.state == _STATE.STATE_WAITING:
        return ""
    if stage.state == _STATE.STATE_SKIPPED:
        return f"[dim]skipped: {plain(stage.message)}[/]"
    seconds = "known already" if stage.cached else f"{stage.seconds:.1f} s"
    message = f" {plain(stage.message)}" if stage.message else ""
    return f"{_MARKS.get(stage.state, '')} {seconds}{message}".strip()


def _recovered(done: hub_pb2.Summary) -> str:
    ordered = sorted(done.recovered.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {op}" for op, count in ordered) or "nothing: it was spelled well"


def _compared(conversion: hub_pb2.Conversion) -> str:
    if not conversion.HasField("comparison"):
        return "[yellow]no: nothing is proven[/]"
    found = conversion.comparison
    runs = 1 + max((entry.run for entry in found.outputs), default=0)
    allowed = max((entry.tolerance for entry in found.outputs), default=0.0)
    verdict = "[green]equal[/]" if found.equal else "[red]DIFFERENT[/]"
    return (
        f"{verdict} in {runs} run{'s' * (runs > 1)}: max relative error {found.max_error:.2g}, "
        f"allowed {allowed:.2g}"
    )


def _size(path: Path) -> str:
    size = float(path.stat().st_size)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
