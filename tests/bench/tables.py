"""The tables that the benchmark prints."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table

from tests.bench.conversion import Figures, Times
from tests.bench.streaming import Figures as Streamed


def table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table whose first column says what is measured, and whose others have numbers."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    made.add_column("", no_wrap=True)
    for heading in headings:
        made.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        made.add_row(*row)
    return made


def side_by_side(found: Sequence[Figures]) -> Table:
    """Our conversions and the others', a row each: what they take, and ours / theirs."""
    rows = []
    for figures in found:
        converter, times = figures.route.converter, figures.times
        seconds, their_seconds = times.median("irhub"), times.median(converter)
        peak, their_peak = figures.our_peak, figures.peaks[converter]
        ours = (f"{seconds:.2f}", "", f"{peak / 2**20:.0f}", "")
        theirs = (
            *(f"{their_seconds:.2f}", f"{seconds / their_seconds:.2f}"),
            *(f"{their_peak / 2**20:.0f}", f"{peak / their_peak:.2f}"),
        )
        rows += [(str(figures.route), "irhub", *ours), ("", converter, *theirs)]
    title = "ResNet-50 without the check: medians; our processes' peaks added up"
    return table(title, ["converter", "seconds", "ours/theirs", "MiB", "ours/theirs"], rows)


def stages(found: Sequence[Figures]) -> Table:
    """Where the seconds go, a column for each conversion."""
    columns = [{n: f"{f.times.median(n):.3f}" for n in f.times.seconds} for f in found]
    return _beside("Medians in seconds", found, columns)


def memory(found: Sequence[Figures]) -> Table:
    """The peak of each process, a column for each conversion."""
    columns = [{name: f"{peak / 2**20:.0f}" for name, peak in f.peaks.items()} for f in found]
    return _beside("Peaks of memory in MiB", found, columns)


def medians(title: str, times: Times) -> Table:
    """What was timed, in seconds."""
    return table(
        title, ["seconds"], [(name, f"{times.median(name):.3f}") for name in times.seconds]
    )


def milliseconds(title: str, seconds: Mapping[str, Sequence[float]]) -> Table:
    """Medians."""
    rows = [(name, f"{statistics.median(f) * 1000:.1f}") for name, f in seconds.items()]
    return table(title, ["milliseconds"], rows)


def streaming(figures: Streamed) -> Table:
    """How fast a large blob moves."""
    title = "1 GiB between two processes, best of some rounds"
    return table(title, ["", "processor seconds"], figures.rows())


def _beside(title: str, found: Sequence[Figures], columns: Sequence[Mapping[str, str]]) -> Table:
    names = dict.fromkeys(name for column in columns for name in column)
    rows = [(name, *(column.get(name, "") for column in columns)) for name in names]
    return table(title, [str(figures.route) for figures in found], rows)
