"""`irhub convert`: a model in, a model of another framework out, with the proof."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ir_hub.cli import adapters, arguments, output, show
from ir_hub.cli.arguments import Options
from ir_hub.cli.errors import EXIT_CODES, Exit, UsageError, exit_code, fail, reported
from ir_hub.cli.session import ERR, OUT, hub, is_elsewhere
from ir_hub.client import HubClient
from ir_hub.hub.plan import IR
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.tensors import write_arrays
from irhub.hub.v1 import hub_pb2

HELP = "\n\n".join(
    (
        "Convert a model to another framework, and prove that it computes the same.",
        "The result is code that a person could have written, its weights, and a report. Both "
        "models are run on the same inputs; a result that differs isn't delivered.",
        "[bold]Examples[/]\n"
        "  irhub convert resnet50.onnx --to pytorch -o resnet50/\n"
        "  irhub convert model.onnx model.onnx.data --to pytorch\n"
        "  irhub convert model.onnx --to onnx -o newer.onnx --opset 23\n"
        "  irhub convert model.onnx --to pytorch --input ids=1x128:int64\n"
        "  irhub convert model.onnx --to pytorch --check-inputs batch.npz\n"
        "  irhub convert model.pt2 --to tensorflow --io-layout native\n"
        "  irhub convert model.onnx --to ir -o model.ir",
        EXIT_CODES,
    )
)


_FAULT = (
    ". This is a fault of irhub's, not of your model: please report it, with the services' logs "
    "(`irhub config` says where `run` is)"
)


class IoLayout(Enum):
    """The order of axes at a model's inputs and outputs."""

    KEEP = "keep"
    NATIVE = "native"


@dataclass(frozen=True)
class _Asked:
    """What the command line says, made sense of."""

    sources: list[Path]
    target: str
    output: Path
    spec: hub_pb2.ConversionSpec
    options: Mapping[str, str]
    check_inputs: Path | None
    readers: Sequence[str]  # those that may read the source


def convert(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SRC...", help="The model's file or folder, then further files."),
    ],
    to: Annotated[str, typer.Option("--to", "-t", help="The target, such as pytorch, onnx or ir.")],
    out: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to: a folder, or a single file.")
    ] = None,
    source: Annotated[
        str, typer.Option("--from", "-f", help="The source's framework; else told from SRC.")
    ] = "",
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="NAME=SHAPE[:TYPE]",
            help="An input's type, where the model leaves it open: x=1x3x224x224, or x=N,3,H,W "
            "with sizes that stay open, or ids=1x128:int64.",
        ),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="The file format, if the target has several.")
    ] = "",
    io_layout: Annotated[
        IoLayout,
        typer.Option(
            "--io-layout",
            help="The order of axes at the model's inputs and outputs: as the source has them, or "
            "the target's own, without transposes.",
        ),
    ] = IoLayout.KEEP,
    opset: Annotated[
        int | None, typer.Option("--opset", help="ONNX op set to write; as --option opset=N.")
    ] = None,
    check_inputs: Annotated[
        Path | None,
        typer.Option("--check-inputs", help="An .npz file with inputs to compare with, by name."),
    ] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Don't compare.")] = False,
    allow_mismatch: Annotated[
        bool, typer.Option("--allow-mismatch", help="Deliver, marked, what compares different.")
    ] = False,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="An adapter's option; see `irhub adapters -v`."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report, as JSON, and nothing else.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what an earlier conversion wrote.")
    ] = False,
) -> None:
    """See HELP."""
    with reported(ERR):
        extra = list(option or []) + ([f"opset={opset}"] if opset is not None else [])
        readers = readers_of(sources[0], source)
        asked = _Asked(
            sources=sources,
            target=to,
            output=out or output.default(sources[0], to, is_single=to == IR),
            spec=hub_pb2.ConversionSpec(
                source=source,
                target=_known_target(to),
                format=format_,
                inputs=arguments.input_types(inputs or []),
                io_layout=hub_pb2.ConversionSpec.IoLayout.Value(f"IO_LAYOUT_{io_layout.name}"),
                skip_check=no_check,
                allow_mismatch=allow_mismatch,
            ),
            options=arguments.options(extra),
            check_inputs=check_inputs,
            readers=readers,
        )
        output.check_free(asked.output, force)
        run(asked, as_json)


def run(asked: _Asked, as_json: bool) -> None:
    """Has the hub convert, and delivers; ends the command when that fails."""
    if not is_elsewhere():
        _add_options(asked, adapters.options_of)
    with hub([*asked.readers, asked.target], quiet=as_json) as client:
        if is_elsewhere():
            found = {s.framework: s.description.options for s in client.adapters()}
            _add_options(asked, lambda name: {(o.stage, o.name) for o in found.get(name, ())})
        asked.spec.files.extend(client.upload(asked.sources))
        if asked.check_inputs is not None:
            _add_check_inputs(client, asked.spec, asked.check_inputs)
        conversion = _followed(client, asked.spec, as_json)
        written = []
        if conversion.state == hub_pb2.Conversion.STATE_SUCCEEDED:
            written = output.write(client, conversion, asked.output)
        if as_json:
            sys.stdout.write(client.read(conversion.report).decode())
        _end(conversion)
        if not as_json:
            show.notes(conversion, ERR)
            table = show.summary(conversion, asked.sources[0].name, asked.output, written)
            OUT.print(table)


def readers_of(path: Path, source: str) -> list[str]:
    """Those that can read the source, so that they have to run."""
    if not path.exists():
        raise UsageError(f"{path} doesn't exist")
    if is_elsewhere():
        return [source] if source else []
    readers = [source] if source else adapters.readers(path)
    if not readers:
        raise UsageError(
            f"Nothing reads files like {path.name!r}. {adapters.advice(path)}Read are: "
            f"{adapters.readable()}. If it is one of these under another name, say which with "
            "--from."
        )
    unknown = set(readers) - {*adapters.known(), IR}
    if unknown:
        raise UsageError(f"--from {source!r}: there is {', '.join(adapters.known())} and {IR}")
    return readers


def _known_target(name: str) -> str:
    if not is_elsewhere() and name not in adapters.writers():
        raise UsageError(f"--to {name!r}: there is {', '.join(adapters.writers())}")
    return name


def _add_options(asked: _Asked, options_of: Callable[[str], Options]) -> None:
    """Gives each option to the side that has it."""
    parse = set().union(*map(options_of, asked.readers))
    emit = options_of(asked.target)
    arguments.check_options(asked.options, parse, emit)
    asked.spec.parse_options.update(arguments.options_for(asked.options, "parse", parse))
    asked.spec.emit_options.update(arguments.options_for(asked.options, "emit", emit))


def _add_check_inputs(client: HubClient, spec: hub_pb2.ConversionSpec, path: Path) -> None:
    values = write_arrays(arguments.check_inputs(path), client.store)
    spec.check_inputs.extend(values)
    client.push(Blob(v.data.blob.digest, v.data.blob.size_bytes) for v in values)


def _followed(client: HubClient, spec: hub_pb2.ConversionSpec, as_json: bool) -> hub_pb2.Conversion:
    """The conversion when it has ended. Ctrl-C cancels it."""
    name = client.create(spec).name
    try:
        updates = client.watch(name)
        for _ in updates if as_json else show.follow(updates, ERR):
            pass
    except KeyboardInterrupt:
        client.cancel(name)
        raise
    return client.get(name)


def _end(conversion: hub_pb2.Conversion) -> None:
    """Ends the command unless the conversion succeeded."""
    if conversion.state == hub_pb2.Conversion.STATE_CANCELLED:
        fail(ERR, f"{conversion.name} was cancelled.", Exit.CANCELLED)
    if conversion.state == hub_pb2.Conversion.STATE_FAILED:
        failure = conversion.failure
        at = f"{failure.stage} failed: " if failure.stage else ""
        problems = [f"{problem.subject}: {problem.description}" for problem in failure.problems]
        show.notes(conversion, ERR)
        fault = _FAULT if exit_code(failure.reason) == Exit.FAILED else ""
        fail(ERR, f"{at}{failure.message}{fault}", exit_code(failure.reason), problems)
