"""What comes of a case of ONNX's backend tests in a framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ir_hub.hub import pipeline
from ir_hub.ir import serde
from ir_hub.ir.tensor import Blob
from ir_hub.ops.op import OPSET
from ir_hub.sdk.adapter import Adapter
from ir_hub.sdk.client import NamedBlob
from ir_hub.sdk.conformance import difference
from ir_hub.sdk.errors import UnsupportedNodes
from ir_hub.sdk.subject import InProcess
from tests.backend.agreement import compared, summary
from tests.backend.case import BackendCase, Cases


def judge(adapter: Adapter, cases: Cases, case: BackendCase) -> str:
    """ "passed", "refused: ...", "not read: ...", "not written: ...", "not run: ...", "wrong: ..."
    or "rounded otherwise ..."."""
    if case.said:
        return case.said
    subject = InProcess(adapter, cases.store.root)
    try:
        files = subject.emit(laid_out(adapter, cases, case))
    except UnsupportedNodes as error:
        return f"refused: {error.problems[0].description}"
    except Exception as error:
        return f"not written: {summary(error)}"
    verdicts = (_run_once(subject, files, cases, case, run) for run in case.runs)
    return next((verdict for verdict in verdicts if verdict != "passed"), "passed")


def laid_out(adapter: Adapter, cases: Cases, case: BackendCase) -> Blob:
    """A case's model after the passes that depend on the target."""
    dialect = adapter.dialect()
    model = cases.model(case)
    if not pipeline.is_laid_out(model, dialect.axes):
        model = pipeline.relay(model, dialect.axes)
    model = pipeline.lower(model, dialect.written())
    put = cases.store.put_bytes
    return put(serde.dump_bytes(model, put, OPSET))


def _run_once(
    subject: InProcess, files: Sequence[NamedBlob], cases: Cases, case: BackendCase, run: Any
) -> str:
    given, wanted = map(cases.arrays, run)
    try:
        found = list(subject.run(files, given).values())
    except Exception as error:
        return f"not run: {summary(error)}"
    expected = list(wanted.values())
    verdict = compared(found, expected, case)
    if verdict.startswith("wrong") and _rounded(found, expected):
        return "rounded otherwise than the suite allows, within the tolerance of an op"
    return verdict


def _rounded(found: Sequence[Any], expected: Sequence[Any]) -> bool:
    """Whether outputs differ by less than an op's tolerance, relative to the greatest element."""
    if len(found) != len(expected):
        return False
    return not any(difference(ours, theirs) for ours, theirs in zip(expected, found, strict=True))
