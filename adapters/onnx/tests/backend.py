"""Judges the adapter by ONNX's own backend tests: `python -m adapters.onnx.tests.backend`.

Every case is read into the IR and verified; its outputs, computed by the reference runtime and by
ONNX Runtime on what the adapter writes, are compared with those the suite expects. What matters
most is that nothing is silently wrong: converted, run, and different.
"""

from __future__ import annotations

import argparse
import json
import select
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator

from adapters.onnx.adapter import DEFAULT_OPSET
from adapters.onnx.tests.backend_case import KINDS, Outcome, judge, load_cases

SECONDS = 60.0  # that a case may take
LOADING = 120.0  # seconds until a worker has loaded the suite


def main() -> int:
    """Runs the suite and prints what came of it; 1 if anything is silently wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose names contain this")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--opset", type=int, default=DEFAULT_OPSET, help="what is written")
    parser.add_argument("--json", help="a file for every outcome")
    options = parser.parse_args()
    if options.worker is not None:
        return _work(options.worker, options.only, options.opset)
    started = time.monotonic()
    outcomes = list(_outcomes(options.only, options.opset))
    if options.json:
        with open(options.json, "w") as file:
            json.dump([vars(outcome) for outcome in outcomes], file, indent=1)
    wrong = _report(outcomes)
    print(f"{time.monotonic() - started:.0f} s")
    return int(wrong > 0)


def _work(first: int, only: str, opset: int) -> int:
    """Judges the cases from a number on, one line of JSON each."""
    cases = load_cases(only)
    print(json.dumps([case.name for _, case in cases]), flush=True)
    for kind, case in cases[first:]:
        print(json.dumps(vars(judge(kind, case, opset))), flush=True)
    return 0


def _outcomes(only: str, opset: int) -> Iterator[Outcome]:
    """The outcomes of all cases, by workers that may crash or hang: each costs one case."""
    done, names = 0, [""]
    while done < len(names):
        command = [sys.executable, "-W", "ignore", "-m", "adapters.onnx.tests.backend"]
        command += ["--only", only, "--worker", str(done), "--opset", str(opset)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            names = json.loads(_line(worker, LOADING) or "[]")
            while done < len(names) and (line := _line(worker, SECONDS)):
                yield Outcome(**json.loads(line))
                done += 1
            worker.kill()
            reason = "took too long" if worker.poll() is None else "crashed"
        if done < len(names):
            yield Outcome("node", names[done], reference=reason, runtime=reason)
            done += 1


def _line(worker: subprocess.Popen[str], seconds: float) -> str:
    """The next line of a worker; empty when it dies or takes too long."""
    assert worker.stdout is not None
    ready, _, _ = select.select([worker.stdout], [], [], seconds)
    return worker.stdout.readline() if ready else ""


def _report(outcomes: list[Outcome]) -> int:
    """Prints the figures; returns how many cases are silently wrong."""
    for kind in (*KINDS, ""):
        here = [outcome for outcome in outcomes if kind in ("", outcome.kind)]
        by_body = sum(outcome.reference == "passed" for outcome in here)
        by_runtime = sum(outcome.runtime == "passed" for outcome in here)
        print(f"{kind or 'all':20} passed {by_body} of {len(here)} by the reference runtime, "
              f"{by_runtime} by ONNX Runtime")  # fmt: skip
    _list("refused", Counter(o.refused for o in outcomes if o.refused))
    for stage in ("reference", "runtime"):
        reasons: dict[str, list[str]] = defaultdict(list)
        for outcome in outcomes:
            text = getattr(outcome, stage)
            if text != "passed" and not outcome.refused:
                reasons[text].append(outcome.name)
        print(f"\nnot passed by the {stage}: {sum(map(len, reasons.values()))}")
        for text, names in sorted(reasons.items(), key=lambda item: -len(item[1])):
            print(f"  {len(names):4} {text[:160]}: {' '.join(names[:4])}")
    wrong = [o for o in outcomes if "wrong" in (o.reference[:5], o.runtime[:5])]
    print(f"\nsilently wrong: {len(wrong)}")
    for outcome in wrong:
        print(f"  {outcome.name}: reference {outcome.reference}; runtime {outcome.runtime}")
    return len(wrong)


def _list(title: str, counts: Counter[str]) -> None:
    print(f"\n{title}: {sum(counts.values())}")
    for text, count in counts.most_common():
        print(f"  {count:4} {text[:160]}")


if __name__ == "__main__":
    sys.exit(main())
