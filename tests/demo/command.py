"""How the demos run `irhub` and programs in other environments."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = Path(os.environ.get("IRHUB_HOME", ROOT / ".irhub"))
IRHUB = Path(sys.executable).with_name("irhub")


class DemoFailed(Exception):
    """A step failed; the message says which, and what the program said."""


def output_of(command: list[str | Path], folder: Path = ROOT) -> str:
    """The standard output of a command run in a folder; `DemoFailed` unless it succeeds."""
    environ = os.environ | {"IRHUB_HOME": str(HOME)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environ)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise DemoFailed(f"`{' '.join(map(str, command))}` failed:\n{said}")
    return done.stdout
