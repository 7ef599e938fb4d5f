"""Judges ONNX models converted to PyTorch by ONNX's own backend tests:
`python -m adapters.pytorch.tests.backend [--match RE]`.

Every case is read by the ONNX adapter, goes through the hub's passes, is written as PyTorch code,
run, and compared with what the suite expects. What matters most is that nothing is silently wrong:
converted, run, and different.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx

from adapters.onnx.tests import backend_case as suite
from adapters.pytorch.emit import save
from adapters.pytorch.run import run
from adapters.pytorch.table import pytorch
from ir_hub.hub import pipeline
from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import Blob
from ir_hub.ir.verify import verify
from ir_hub.ops.catalogue import OPS
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.conformance import difference
from ir_hub.sdk.errors import UnsupportedNodes

SECONDS = 60  # that a case may take


def main() -> int:
    """Runs the suite and prints what came of it; 1 if anything is silently wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--match", default="", help="cases whose names this is found in")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part is not None:
        for name, verdict in _verdicts(options.match, options.part, options.jobs):
            print(json.dumps([name, verdict]), flush=True)
        return 0
    verdicts = dict(_by_processes(options.match, options.jobs))
    return _report(verdicts)


def _by_processes(match: str, jobs: int) -> Iterator[tuple[str, str]]:
    command = [sys.executable, "-W", "ignore", "-m", "adapters.pytorch.tests.backend"]
    command += ["--match", match, "--jobs", str(jobs)]
    parts = [
        subprocess.Popen([*command, "--part", str(part)], stdout=subprocess.PIPE, text=True)
        for part in range(jobs)
    ]
    for part in parts:
        assert part.stdout is not None
        for line in part.stdout:
            name, verdict = json.loads(line)
            yield name, verdict
        if part.wait():
            yield f"(process {part.pid})", "crashed"


def _verdicts(match: str, part: int, jobs: int) -> Iterator[tuple[str, str]]:
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _too_long)
    found = [case for _, case in suite.load_cases() if re.search(match, case.name)]
    with tempfile.TemporaryDirectory() as folder:
        for case in found[part::jobs]:
            signal.alarm(SECONDS)
            try:
                yield case.name, judge(case, Path(folder))
            except TimeoutError:
                yield case.name, "not run: it takes too long"
            finally:
                signal.alarm(0)


def _too_long(*_: object) -> None:
    raise TimeoutError


def judge(case: Any, folder: Path) -> str:
    """What comes of a case: "passed", "refused: ...", "not run: ..." or "wrong: ..."."""
    content = suite.content_of(case)
    try:
        files = converted(content, folder)
    except UnsupportedNodes as error:
        return f"refused: {error.problems[0].description}"
    except TimeoutError:
        raise
    except Exception as error:
        return f"not converted: {suite.summary(error)}"
    names = [value.name for value in onnx.load_from_string(content).graph.input]
    for inputs, expected in suite.data_sets_of(case, onnx.load_from_string(content)):
        verdict = _run_once(files, names, inputs, expected, case)
        if verdict != "passed":
            return verdict
    return "passed"


def converted(content: bytes, folder: Path) -> Files:
    """An ONNX model as files of PyTorch."""
    model = prepared(content)
    emitted = save(model, folder, lambda *_: None)
    files = tuple(SourceFile(name, folder / name, Blob("", 0)) for name in emitted.files)
    return Files(files, lambda _: memoryview(b""))


def prepared(content: bytes) -> Model:
    """An ONNX model as the hub hands it to the adapter."""
    model = suite.read_model(content)
    verify(model, OPS)
    model = pipeline.simplify(model)
    pipeline.recover(model)
    return pipeline.lower(model, pytorch.written())


def _run_once(
    files: Files, names: Sequence[str], inputs: Sequence[Any], expected: Sequence[Any], case: Any
) -> str:
    feeds = dict(zip(names, map(suite.as_ours, inputs), strict=False))
    try:
        found = run(files, feeds, 1)
    except TimeoutError:
        raise
    except Exception as error:
        return f"not run: {suite.summary(error)}"
    verdict = suite.compared(list(found.values()), expected, case)
    if verdict.startswith("wrong") and _rounded(list(found.values()), expected):
        return "rounded otherwise than the suite allows, within the tolerance of an op"
    return verdict


def _rounded(found: Sequence[Any], expected: Sequence[Any]) -> bool:
    """Whether outputs differ by less than an op's tolerance, relative to the greatest element."""
    pairs = zip(map(suite.as_ours, expected), found, strict=True)
    return not any(difference(ours, theirs) for ours, theirs in pairs)


def _report(verdicts: dict[str, str]) -> int:
    counts = Counter(verdict.partition(":")[0] for verdict in verdicts.values())
    reasons: dict[str, list[str]] = defaultdict(list)
    for name, verdict in verdicts.items():
        reasons[verdict].append(name)
    for verdict, names in sorted(reasons.items(), key=lambda item: -len(item[1])):
        if verdict != "passed" and not verdict.startswith("wrong"):
            print(f"{len(names):5} {verdict[:170]}: {' '.join(names[:4])}")
    print(f"\npassed {counts['passed']} of {len(verdicts)}; {dict(counts)}")
    wrong = {name: verdict for name, verdict in verdicts.items() if verdict.startswith("wrong")}
    print(f"silently wrong: {len(wrong)}")
    for name, verdict in wrong.items():
        print(f"  {name}: {verdict}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
