"""Puts a conversion's files where the user wants them: all of them at once, or none."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ir_hub.cli.errors import UsageError
from ir_hub.client import HubClient
from irhub.adapter.v1 import adapter_pb2
from irhub.hub.v1 import hub_pb2

REPORT = "report.json"


def check_free(output: Path, force: bool) -> None:
    """Nothing, if the place is free, or may be made free.

    Raises:
        UsageError: something is there that isn't to be replaced.
    """
    parent = output.absolute().parent
    if not os.access(_existing(parent), os.W_OK):
        raise UsageError(f"{parent} can't be written to: choose another place with -o")
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return
    if not force:
        raise UsageError(f"{output} exists already: choose another place, or replace it by --force")
    if output.is_dir() and not _is_ours(output):
        raise UsageError(
            f"{output} isn't what an earlier conversion wrote (it has no {REPORT} of irhub's), so "
            "it isn't replaced: choose another place, or remove it yourself"
        )


def write(hub: HubClient, conversion: hub_pb2.Conversion, output: Path) -> list[Path]:
    """Writes what was converted: one file where `output` is named like the only one, else a
    folder with the report in it. Returns what was written."""
    files = list(conversion.files)
    if len(files) == 1 and _is_file_name(output, files[0].name):
        with _beside(output) as folder:
            (written,) = hub.download(files, folder)
            written.replace(output)
        return [output]
    report = adapter_pb2.File(name=REPORT, blob=conversion.report)
    with _beside(output) as folder:
        names = [path.relative_to(folder) for path in hub.download([*files, report], folder)]
        _swap(folder, output)
    return [output / name for name in names]


def default(source: Path, target: str, is_single: bool) -> Path:
    """Where the result goes if nobody says: beside nothing else, in the current folder."""
    stem = source.name.split(".")[0] or "model"
    return Path(f"{stem}.{target}" if is_single else f"{stem}-{target}")


def _is_file_name(output: Path, written: str) -> bool:
    return bool(output.suffix) and output.suffix == Path(written).suffix and not output.is_dir()


@contextmanager
def _beside(output: Path) -> Iterator[Path]:
    """A folder in the output's own file system, so that a rename is all that is left to do."""
    parent = output.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / f".{output.name}.{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _swap(folder: Path, output: Path) -> None:
    if not output.exists():
        folder.rename(output)
        return
    old = folder.with_name(f"{folder.name}.old")
    output.rename(old)
    folder.rename(output)
    shutil.rmtree(old)


def _is_ours(folder: Path) -> bool:
    try:
        return "report_format" in json.loads((folder / REPORT).read_text())
    except (OSError, ValueError, TypeError):
        return False


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
