"""How the command ends: one paragraph on standard error, and an exit code by kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer
from rich.console import Console

from ir_hub.blobs import BlobError
from ir_hub.cli.local import ServiceError
from ir_hub.cli.plain import plain
from ir_hub.environments import SetupError
from ir_hub.hub.settings import BadSettings
from ir_hub.sdk.errors import AdapterError
from ir_hub.sdk.status import answer

_SHOWN = 30


class Exit(IntEnum):
    """The exit codes."""

    OK = 0
    FAILED = 1
    USAGE = 2
    BAD_INPUT = 3
    UNSUPPORTED = 4
    MISMATCH = 5
    UNAVAILABLE = 6
    CANCELLED = 7


EXIT_CODES = "\n".join(
    (
        "[bold]Exit codes[/]",
        "  0  done",
        "  1  a fault of irhub's",
        "  2  wrong usage",
        "  3  the model or an input is broken, or can't be run",
        "  4  nodes that aren't supported",
        "  5  source and result differ",
        "  6  a service or environment is missing, full, or doesn't answer",
        "  7  cancelled",
    )
)

_BY_REASON = {
    "BAD_IR": Exit.BAD_INPUT,
    "BAD_MODEL": Exit.BAD_INPUT,
    "BAD_REQUEST": Exit.USAGE,
    "BLOB_NOT_FOUND": Exit.UNAVAILABLE,
    "BUSY": Exit.UNAVAILABLE,
    "CANCELLED": Exit.CANCELLED,
    "MISMATCH": Exit.MISMATCH,
    "NO_ADAPTER": Exit.USAGE,
    "RUN_FAILED": Exit.BAD_INPUT,
    "SOURCE_RUN_FAILED": Exit.BAD_INPUT,
    "STORE_FULL": Exit.UNAVAILABLE,
    "TIMED_OUT": Exit.UNAVAILABLE,
    "UNAUTHENTICATED": Exit.USAGE,
    "UNAVAILABLE": Exit.UNAVAILABLE,
    "UNSUPPORTED": Exit.UNSUPPORTED,
    "UNTRUSTED_CODE": Exit.BAD_INPUT,
    "VERSION_SKEW": Exit.UNAVAILABLE,
    "WORKER_CRASHED": Exit.UNAVAILABLE,
}


class UsageError(Exception):
    """The command line can't mean anything; the message says why."""


def exit_code(reason: str) -> Exit:
    """The exit code for an error's reason."""
    return _BY_REASON.get(reason, Exit.FAILED)


@contextmanager
def reported(console: Console) -> Iterator[None]:
    """Ends the command with a message and the exit code for what is raised inside."""
    try:
        yield
    except KeyboardInterrupt:
        fail(console, "Cancelled.", Exit.CANCELLED)
    except (UsageError, BadSettings) as error:
        fail(console, str(error), Exit.USAGE)
    except (SetupError, ServiceError) as error:
        fail(console, str(error), Exit.UNAVAILABLE)
    except (AdapterError, BlobError) as error:
        meant = answer(error)
        problems = [f"{problem.subject}: {problem.description}" for problem in meant.problems]
        fail(console, str(meant), exit_code(meant.reason), problems)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        fail(console, f"{where}{error.strerror or error}", Exit.BAD_INPUT)


def fail(console: Console, message: str, code: Exit, problems: list[str] | None = None) -> None:
    """Ends the command: the message, what is wrong one by one, and the exit code."""
    console.print(f"[bold red]error:[/] {plain(message)}", highlight=False, soft_wrap=True)
    for problem in (problems or [])[:_SHOWN]:
        console.print(f"  - {plain(problem)}", highlight=False, soft_wrap=True)
    if problems and len(problems) > _SHOWN:
        console.print(f"  ... and {len(problems) - _SHOWN} more")
    raise typer.Exit(code)
