"""Converts the networks of an OCR package to PyTorch, and lets the package read with them.

    make demo

Each of the three networks goes through `irhub convert`, compared on what the package gives it for
two pages. The package then reads a page twice, with its own networks and with the converted ones;
the demo fails unless it reads the same.
"""

import json
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from tests.demo.command import HOME, IRHUB, DemoFailed, output_of

ENVIRONMENT = HOME / "envs" / "demo"
OUTPUT = HOME / "demo"
PAGES = (1, 2)
SHOWN_LINES = 32


@dataclass(frozen=True)
class Network:
    """A network of the package, and what it is for."""

    name: str
    purpose: str
    file: str


NETWORKS = (
    Network("det", "finds lines", "ch_PP-OCRv4_det_infer.onnx"),
    Network("cls", "tells which is up", "ch_ppocr_mobile_v2.0_cls_infer.onnx"),
    Network("rec", "reads a line", "ch_PP-OCRv4_rec_infer.onnx"),
)


@dataclass(frozen=True)
class Conversion:
    """The seconds that the command took the first time, and its report for each page."""

    seconds: float
    reports: list[dict[str, Any]]


def convert(network: Network) -> Conversion:
    """Convert a network with the `irhub` command; for the second page only the check is new."""
    models = ENVIRONMENT / "lib/python3.11/site-packages/rapidocr_onnxruntime/models"
    command: list[str | Path] = [IRHUB, "convert", models / network.file, "--to", "pytorch"]
    command += ["-o", OUTPUT / network.name, "--force", "--json", "--check-inputs"]
    reports, seconds = [], []
    for page in PAGES:
        start = time.perf_counter()
        inputs = OUTPUT / "inputs" / f"{network.name}-{page}.npz"
        reports.append(json.loads(output_of([*command, inputs])))
        seconds.append(time.perf_counter() - start)
    return Conversion(seconds[0], reports)


def reading(what: str, folder: Path) -> str:
    """What `tests.demo.reading` says, run in the package's environment."""
    return output_of([ENVIRONMENT / "bin/python", "-m", "tests.demo.reading", what, folder])


def conversions_table(conversions: dict[Network, Conversion]) -> Table:
    """What came of the conversions; errors are relative to the output's scale."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("network", "seconds", "lines", "recovered", "max error", "with images"):
        table.add_column(heading, justify="right" if heading in ("seconds", "lines") else "left")
    for network, conversion in conversions.items():
        summary = conversion.reports[0]["summary"]
        recovered = sorted(summary["recovered"].items(), key=lambda item: (-item[1], item[0]))
        checks = [output for r in conversion.reports for output in r["comparison"]["outputs"]]
        table.add_row(
            f"[bold]{network.name}[/]\n{network.purpose}",
            f"{conversion.seconds:.1f}",
            str(summary["code_lines"]),
            "\n".join(f"{count} {name}" for name, count in recovered),
            "\n".join(f"{check.get('max_error', 0.0):.1e}" for check in checks),
            "\n".join("x".join(re.findall(r"\d+(?=[],])", check["inputs"][0])) for check in checks),
        )
    return table


def show_readings(console: Console, found: dict[str, list[str]]) -> bool:
    """Print both readings, line below line; whether they are the same, and complete."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("read by")
    table.add_column("")
    for original, converted in zip(found["original"], found["converted"], strict=False):
        table.add_row("ONNX Runtime", escape(original))
        table.add_row("PyTorch, converted", escape(converted), end_section=True)
    console.print(table)
    is_complete = len(found["written"]) == len(found["original"])
    is_same = is_complete and found["original"] == found["converted"]
    lost = set(found["converted"]) - set(found["undirected"])
    console.print(f"Lines that aren't read without the network for the direction: {len(lost)}.")
    verdict = "[green]the same[/]" if is_same else "[bold red]different[/]"
    console.print(f"The two readings are {verdict}; drawn: {OUTPUT / 'reading.png'}\n")
    return is_same


def show_code(console: Console, file: Path) -> None:
    """Print where code is, and its first class."""
    code = file.read_text()
    lines = code[code.index("\nclass ") + 1 :].split("\n\n\n")[0].splitlines()
    console.print(f"{file} begins with")
    shown = Syntax("\n".join(lines[:SHOWN_LINES]), "python", background_color="default")
    console.print(shown)


def main() -> int:
    console = Console(highlight=False, soft_wrap=True)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    console.print("\n[bold]The networks of rapidocr-onnxruntime, from ONNX to PyTorch[/]")
    conversions = {}
    try:
        with console.status("reading a page with ONNX Runtime") as status:
            reading("record", OUTPUT / "inputs")
            for network in NETWORKS:
                status.update(f"irhub convert {network.file} --to pytorch")
                conversions[network] = convert(network)
            status.update("reading it with PyTorch")
            found = json.loads(reading("read", OUTPUT))
    except DemoFailed as error:
        console.print(str(error), style="red", markup=False)
        return 1
    console.print(conversions_table(conversions))
    is_same = show_readings(console, found)
    show_code(console, OUTPUT / "rec" / "model.py")
    console.print(f"\nThe services still run. To stop them: IRHUB_HOME={HOME} {IRHUB} down")
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
