"""The `irhub` command's entry."""

from __future__ import annotations

from typing import Annotated

import typer

from ir_hub import __version__
from ir_hub.cli import convert, look, services, store
from ir_hub.cli.errors import EXIT_CODES

app = typer.Typer(
    name="irhub",
    help="\n\n".join(
        (
            "Convert trained deep-learning models between frameworks, faithfully.",
            "[bold]To begin[/]\n"
            "  irhub adapters install onnx pytorch\n"
            "  irhub convert model.onnx --to pytorch -o model/",
            "Settings are in the environment (IRHUB_HOME, ...) and in config.toml: `irhub config`.",
            EXIT_CODES,
        )
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(help=convert.HELP)(convert.convert)
app.command()(look.inspect)
app.command()(look.recover)
app.command()(look.explain)
app.add_typer(services.adapters, name="adapters")
app.command()(services.up)
app.command()(services.down)
app.command()(services.status)
app.add_typer(store.store, name="store")
app.command()(store.config)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"irhub {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Runs before every command."""
