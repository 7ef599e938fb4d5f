"""Builds the images, runs them as the chart says, and converts through them: `make e2e`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.deploy.e2e import scenes
from tests.deploy.e2e.machine import Podman, Unfit, prepared

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / ".irhub" / "e2e"


def main() -> int:
    """0: all went well; 1: something didn't, or can't be tried here."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        podman = prepared(FOLDER, _say)
        _build(podman)
        failed = scenes.play(podman, os.environ.get("HELM", "helm"), FOLDER / "run", _say)
    except Unfit as error:
        _say(f"can't go on: {error}")
        return 1
    except KeyboardInterrupt:
        _say("stopped; everything that ran is removed")
        return 1
    _say(f"FAILED: {', '.join(failed)}" if failed else "all scenes went well")
    return 1 if failed else 0


def _build(podman: Podman) -> None:
    """`make images`, with this podman; Unfit when it fails."""
    flags = ["--network=host", "--pull=never"]
    links = Path(podman.environ.get("PIP_FIND_LINKS") or "https://none")
    if links.is_dir():
        flags.append(f"--volume={links}:{links}:ro")
    command = ["make", "--no-print-directory", "images", "ENGINE=podman"]
    command += [f"BUILD_FLAGS={' '.join(flags)}", f"IMAGE_TAG={scenes.TAG}"]
    if subprocess.run(command, cwd=ROOT, env=podman.environ).returncode:
        raise Unfit("the images can't be built; what is above says why")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
