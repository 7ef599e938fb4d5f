"""Trains a digits classifier in MXNet, and lets it go on in PyTorch, Keras and ONNX Runtime.

    make demo-legacy

Each of the three gets the model through `irhub convert`, and scores the test set in its own
environment; then the generated PyTorch and Keras code is trained for an epoch more. The demo fails
unless all predict the same, and the training loses no accuracy.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from tests.demo.command import HOME, IRHUB, DemoFailed, output_of

OUTPUT = HOME / "demo-legacy"
SOURCE = OUTPUT / "mxnet"
TOLERANCE = 1e-5  # of the scores' scale

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Target:
    """What irhub converts to, what runs it, and the script that does."""

    name: str
    runtime: str
    script: str


TARGETS = (
    Target("pytorch", "PyTorch", "in_pytorch"),
    Target("tensorflow", "Keras", "in_keras"),
    Target("onnx", "ONNX Runtime", "in_onnx"),
)


@dataclass(frozen=True)
class Result:
    """What a framework made of the test set; `trained` is after an epoch more."""

    name: str
    scores: Array  # (N, 10)
    trained: Array | None = None
    lines: int = 0  # of generated code


def run(environment: str, script: str, folder: Path, *arguments: str | Path) -> str:
    """What a script of this demo prints; it runs in a framework's environment and a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    python = HOME / "envs" / environment / "bin/python"
    return output_of([python, "-m", f"tests.demo_legacy.{script}", *arguments], folder)


def converted(target: Target) -> Result:
    """Convert the model with the `irhub` command, and have the target's framework use it."""
    folder = OUTPUT / target.name
    command: list[str | Path] = [IRHUB, "convert", SOURCE / "digits-symbol.json"]
    command += [SOURCE / "digits-0000.params", "--input", "data=N,1,8,8"]
    command += ["--to", target.name, "-o", folder, "--force", "--json"]
    lines = json.loads(output_of(command))["summary"].get("code_lines", 0)
    run(target.name, target.script, folder, SOURCE / "digits.npz")
    scores, trained = folder / "scores.npy", folder / "trained.npy"
    after = np.load(trained) if trained.exists() else None
    return Result(target.runtime, np.load(scores), after, lines)


def accuracy(scores: Array, labels: Array) -> float:
    """The part of the images that are classified right."""
    return float(np.mean(scores.argmax(axis=1) == labels))


def max_error(scores: Array, original: Array) -> float:
    """The greatest difference, relative to the original's scale."""
    return float(np.abs(scores - original).max() / np.abs(original).max())


def faults(original: Result, others: list[Result], labels: Array) -> Iterator[str]:
    """All that isn't as promised."""
    for other in others:
        differing = int(np.sum(original.scores.argmax(1) != other.scores.argmax(1)))
        if differing:
            yield f"{other.name} classifies {differing} images otherwise than MXNet"
        error = max_error(other.scores, original.scores)
        if not error <= TOLERANCE:
            yield f"{other.name}'s scores differ by {error:.1e} of their scale"
        if other.trained is not None:
            before, after = accuracy(other.scores, labels), accuracy(other.trained, labels)
            if after < before:
                yield f"{other.name}'s accuracy fell from {before:.2%} to {after:.2%}"


def results_table(original: Result, others: list[Result], labels: Array) -> Table:
    """A line for each framework."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("run by", no_wrap=True)
    for heading in ("same digits", "max error", "accuracy", "fine-tuned", "lines"):
        table.add_column(heading, justify="right")
    table.add_row("MXNet", "", "", f"{accuracy(original.scores, labels):.2%}")
    for other in others:
        same = int(np.sum(original.scores.argmax(1) == other.scores.argmax(1)))
        table.add_row(
            other.name,
            f"{same} of {len(labels)}",
            f"{max_error(other.scores, original.scores):.1e}",
            f"{accuracy(other.scores, labels):.2%}",
            "" if other.trained is None else f"{accuracy(other.trained, labels):.2%}",
            str(other.lines or ""),
        )
    return table


def measured(console: Console) -> tuple[dict[str, Any], Result, list[Result]]:
    """How the training went, what MXNet made of the test set, and what the others did."""
    others = []
    with console.status("training in MXNet") as status:
        training = json.loads(run("mxnet", "training", SOURCE))
        original = Result("MXNet", np.load(SOURCE / "scores.npy"))
        for target in TARGETS:
            status.update(f"irhub convert digits-symbol.json --to {target.name}")
            others.append(converted(target))
        status.update("drawing")
        run("mxnet", "picture", OUTPUT, *(target.name for target in TARGETS))
    return training, original, others


def main() -> int:
    console = Console(highlight=False, soft_wrap=True)
    console.print("\n[bold]A digits classifier leaves MXNet[/]")
    try:
        training, original, others = measured(console)
    except DemoFailed as error:
        console.print(str(error), style="red", markup=False)
        return 1
    losses, labels = training["losses"], np.load(SOURCE / "digits.npz")["test_labels"]
    console.print(
        f"Trained there: {len(losses)} epochs in {training['seconds']:.1f} s, loss {losses[0]:.2f} "
        f"to {losses[-1]:.2f}.\nThen converted. Each framework itself, in its own environment, on "
        f"{len(labels)} images kept back:"
    )
    console.print(results_table(original, others, labels))
    console.print("Fine-tuned: the generated code, trained for one epoch more.\n")
    console.print(f"code     {OUTPUT}/{{pytorch,tensorflow}}/model.py")
    console.print(f"picture  {OUTPUT / 'digits.png'}, the digits that MXNet was least sure of\n")
    found = list(faults(original, others, labels))
    for fault in found:
        console.print(fault, style="red", markup=False)
    if not found:
        console.print("[green]All four read the same digits.[/]")
    console.print(f"The services still run. To stop them: IRHUB_HOME={HOME} {IRHUB} down")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
