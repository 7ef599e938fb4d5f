"""Judges an adapter by ONNX's backend tests, in a process that may crash or hang.

An adapter's `tests/backend.py` is one call of `main`. What matters most is that nothing is silently
wrong: converted, run, and different.
"""

from __future__ import annotations

import argparse
import json
import re
import select
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from ir_hub.sdk.adapter import Adapter
from tests.backend.case import opened
from tests.backend.judge import judge

SECONDS = 60.0  # that a case may take
LOADING = 120.0  # seconds until a process has loaded the framework


def main(adapter: Adapter) -> int:
    """Runs the suite and prints what came of it; 1 if anything is silently wrong."""
    module = f"adapters.{adapter.framework}.tests.backend"
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=__doc__)
    parser.add_argument("--match", default="", help="cases whose names this is found in")
    parser.add_argument("--every", type=int, default=1, help="one case of so many")
    parser.add_argument("--cases", type=Path, help="a folder that keeps the cases as IR")
    parser.add_argument("--from", type=int, dest="first", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = options.cases or Path(folder)
        cases = opened(place)
        found = [case for case in cases.load() if re.search(options.match, case.name)]
        found = found[:: options.every]
        if options.first is not None:
            adapter.warm()
            for case in found[options.first :]:
                print(json.dumps(judge(adapter, cases, case)), flush=True)
            return 0
        command = [sys.executable, "-W", "ignore", "-m", module, "--match", options.match]
        command += ["--every", str(options.every), "--cases", str(place)]
        names = [case.name for case in found]
        return report(dict(zip(names, _verdicts(command, len(names)), strict=True)))


def _verdicts(command: list[str], count: int) -> Iterator[str]:
    """What comes of each case; one that ends its process, or takes too long, costs that alone."""
    done = 0
    while done < count:
        process = subprocess.Popen(
            [*command, "--from", str(done)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        with process:
            allowed = LOADING
            while done < count and (line := _line(process, allowed)):
                yield json.loads(line)
                done, allowed = done + 1, SECONDS
            reason = "it takes too long" if process.poll() is None else "the process died"
            process.kill()
        if done < count:
            yield f"not run: {reason}"
            done += 1


def _line(process: subprocess.Popen[str], seconds: float) -> str:
    """The next line of a process; empty when it ends or takes too long."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    return process.stdout.readline() if ready else ""


def report(verdicts: dict[str, str]) -> int:
    """Prints the figures and what didn't pass, by its reason; 1 if anything is silently wrong."""
    counts = Counter(verdict.partition(":")[0] for verdict in verdicts.values())
    reasons: dict[str, list[str]] = defaultdict(list)
    for name, verdict in verdicts.items():
        reasons[verdict].append(name)
    for verdict, names in sorted(reasons.items(), key=lambda item: -len(item[1])):
        if verdict != "passed" and not verdict.startswith("wrong"):
            print(f"{len(names):5} {verdict[:170]}: {' '.join(names[:4])}")
    share = counts["passed"] / max(len(verdicts), 1)
    print(f"\npassed {counts['passed']} of {len(verdicts)} ({share:.1%}); {dict(counts)}")
    wrong = {name: verdict for name, verdict in verdicts.items() if verdict.startswith("wrong")}
    print(f"silently wrong: {len(wrong)}")
    for name, verdict in wrong.items():
        print(f"  {name}: {verdict}")
    return int(bool(wrong))
