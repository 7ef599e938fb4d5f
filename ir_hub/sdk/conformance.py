"""Whether a framework computes what the ops mean: each op's cases, written by its adapter, run by
the framework, compared with the op's NumPy body, and read back as what means the same.

In an adapter's tests:

    @pytest.mark.parametrize("case", cases(ADAPTER, {"round": "halves are rounded up"}))
    def test_conformance(case: OpCase, tmp_path: Path) -> None:
        check(InProcess(ADAPTER, tmp_path), case)

Against any adapter in any language: `python -m ir_hub.sdk.conformance --address HOST:PORT`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ir_hub.ir import serde
from ir_hub.ir.graph import Argument, Graph, Model, Node, Value
from ir_hub.ir.text import graph_text, node_text
from ir_hub.ir.types import DType
from ir_hub.layout.relay import relay
from ir_hub.ops.cases import CASES, Case, case_arguments, case_graph
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import OPSET, Kind
from ir_hub.sdk.adapter import Adapter
from ir_hub.sdk.errors import AdapterError, UnsupportedNodes
from ir_hub.sdk.stages import load_model
from ir_hub.sdk.subject import Served, Subject
from ir_hub.sdk.tensors import Arrays
from ir_hub.sdk.tolerance import op_tolerance
from ir_hub.simplify import reference

Array = np.ndarray[Any, Any]

# Arguments that are parameters of a layer: constants, as they are in models.
# fmt: off
PARAMETERS = frozenset({
    "a_scale", "a_zero_point", "b_scale", "b_zero_point", "bias", "cos_cache", "mean", "peephole",
    "recurrent", "scale", "sin_cache", "slope", "var", "weight", "weight_scale",
    "weight_zero_point", "x_scale", "x_zero_point", "y_scale", "y_zero_point", "zero_point",
})
# fmt: on


class Mismatch(AssertionError):
    """The framework computed, or the adapter read, something else."""


class Respelled(Mismatch):
    """The adapter read what means the same, but not as the same op with the same literals."""


@dataclass(frozen=True)
class OpCase:
    """A case of an op; its number is its place among the op's cases."""

    op: str
    number: int
    case: Case

    def __str__(self) -> str:
        return f"{self.op}-{self.number}"


def op_cases(ops: Collection[str]) -> Iterator[OpCase]:
    """The cases of those ops that have some."""
    for op in sorted(ops):
        for number, case in enumerate(CASES.get(op, ())):
            yield OpCase(op, number, case)


def cases(adapter: Adapter, known: Mapping[str, str] | None = None) -> list[Any]:
    """The cases of the ops that an adapter writes, for pytest.mark.parametrize.

    `known` has the reasons why some are expected to fail, by op ("round") or case ("round-2");
    one that doesn't fail any more is an error, and so is one that there is no case for.
    """
    import pytest  # only where tests run

    known = dict(known or {})
    found = list(op_cases(adapter.dialect().written()))
    strange = known.keys() - {str(case) for case in found} - {case.op for case in found}
    if strange:
        raise ValueError(f"there are no cases {', '.join(sorted(strange))}")
    params = []
    for case in found:
        reason = known.get(str(case), known.get(case.op))
        marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
        params.append(pytest.param(case, id=str(case), marks=marks))
    return params


def check(subject: Subject, case: OpCase) -> None:
    """Has the framework run a case, and compares with the op's body.

    Raises:
        Mismatch: it computes something else.
        AdapterError: it refuses; that an op isn't supported for these operands is honest.
    """
    model, feeds = _model(case, subject)
    blob = subject.store.put_bytes(serde.dump_bytes(model, subject.store.put_bytes, OPSET))
    found = list(subject.run(subject.emit(blob), feeds).values())
    _compare(case, found, node_text(_node(case, model)))


def check_reading(subject: Subject, case: OpCase) -> None:
    """Has the adapter read what it wrote for a case.

    Raises:
        Mismatch: what it read means something else.
        Respelled: it means the same, but isn't the same op with the same literals.
        AdapterError: it refuses.
    """
    model, feeds = _model(case, subject)
    inputs = {value.name: value.type for value in model.graph.inputs if value.type is not None}
    blob = subject.store.put_bytes(serde.dump_bytes(model, subject.store.put_bytes, OPSET))
    read = subject.parse(subject.emit(blob), inputs)
    parsed = load_model(subject.store.open(read), subject.store)
    text = f"{node_text(_node(case, model))}\nwas read back as\n{graph_text(parsed.graph)}"
    try:
        found = reference.run(parsed, list(feeds.values()))
    except (ValueError, reference.RunError) as error:
        raise Mismatch(f"{case}: {error}\n{text}") from error
    _compare(case, found, text)
    if not any(_same(_node(case, model), node) for node in parsed.graph.walk()):
        raise Respelled(f"{case}: {text}")


def difference(ours: Array, theirs: Array, tolerance: float | None = None) -> str:
    """How a tensor differs from what it should be; empty if it doesn't. `tolerance` is relative
    to the greatest element; None: what is usual for the type."""
    if ours.shape != theirs.shape:
        return f"shape {theirs.shape} instead of {ours.shape}"
    dtype = DType.of(ours.dtype)
    if DType.of(theirs.dtype) is not dtype:
        return f"{theirs.dtype} instead of {ours.dtype}"
    if dtype is DType.STRING:
        return "" if np.array_equal(ours, theirs) else "other texts"
    allowed = op_tolerance(dtype) if tolerance is None else tolerance
    if not allowed:
        wrong = int(np.count_nonzero(ours != theirs))
        return f"{wrong} of {ours.size} elements differ" if wrong else ""
    wide = np.complex128 if ours.dtype.kind == "c" else np.float64
    return _numeric_difference(ours.astype(wide), theirs.astype(wide), allowed)


def _numeric_difference(ours: Array, theirs: Array, allowed: float) -> str:
    finite = np.isfinite(ours)
    if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
        return "infinities or NaNs differ"
    if not np.isfinite(theirs[finite]).all():
        return "infinities or NaNs where there should be numbers"
    if not finite.any():
        return ""
    scale = float(np.abs(ours[finite]).max()) or 1.0
    error = float(np.abs(ours[finite] - theirs[finite]).max()) / scale
    return "" if error <= allowed else f"off by {error:.2e} of the greatest element"


def _compare(case: OpCase, found: Sequence[Array], text: str) -> None:
    """Compares outputs with what the op's body computes; `text` is for the message."""
    with np.errstate(all="ignore"):
        wanted = OPS[case.op].call(case_arguments(case.op, case.case))
    if len(found) != len(wanted):
        raise Mismatch(f"{case}: {len(found)} outputs instead of {len(wanted)}\n{text}")
    for place, (ours, theirs) in enumerate(zip(wanted, found, strict=True)):
        problem = difference(ours, theirs, case.case.tolerance)
        if problem:
            raise Mismatch(f"{case}, output {place}: {problem}\n{text}")


def _model(case: OpCase, subject: Subject) -> tuple[Model, Arrays]:
    """A model of the case's one node, in the order of axes that the framework runs it in."""
    graph, feeds = case_graph(case.op, case.case, PARAMETERS)
    return relay(Model(graph), dict(subject.description().axes)), feeds


def _node(case: OpCase, model: Model) -> Node:
    """The case's node, which may have got transposes around it."""
    return next(node for node in model.graph.nodes if node.op == case.op)


def _same(ours: Node, theirs: Node) -> bool:
    """Whether two nodes call the same op with equal literals; sizes are literals too."""
    if ours.op != theirs.op:
        return False
    params = OPS[ours.op].params.values()
    literals = [p.name for p in params if p.kind in (Kind.LITERAL, Kind.SIZES)]
    return all(_equal(ours.args[name], theirs.args[name]) for name in literals)


def _equal(ours: Argument, theirs: Argument) -> bool:
    if isinstance(theirs, Value | Graph):
        return False
    if isinstance(ours, float) and isinstance(theirs, float):
        # Many formats keep literals in single precision.
        return bool(np.float32(ours) == np.float32(theirs)) or ours == theirs
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        same_length = len(ours) == len(theirs)
        return same_length and all(_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    return ours == theirs and type(ours) is type(theirs)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the suite against a service; 0 if something is right and nothing failed. What is
    refused as unsupported, or read as other ops that mean the same, hasn't failed."""
    given = _arguments(argv)
    known = json.loads(given.known.read_text()) if given.known else {}
    counts: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        Served(given.address, Path(folder)) as subject,
    ):
        description = subject.description()
        written = {format_.name for format_ in description.writes[:1]}  # what emit writes unasked
        reads_back = written.issubset(format_.name for format_ in description.reads)
        for case in op_cases(given.op or description.ops):
            for test in (check, check_reading) if reads_back else (check,):
                verdict, said = _verdict(test, subject, case)
                if verdict == "failed" and (reason := known.get(str(case), known.get(case.op))):
                    verdict, said = "expected", f"{case}: {reason}"
                counts[verdict] += 1
                if said:
                    sys.stdout.write(f"{verdict} in {test.__name__}: {said}\n")
    sys.stdout.write(f"{description.framework} {description.framework_version}: ")
    sys.stdout.write(", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS) + "\n")
    return 1 if counts["failed"] or not counts["right"] else 0


_VERDICTS = ("right", "failed", "expected", "refused", "respelled")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ir_hub.sdk.conformance",
        description="Compares what a served adapter's framework computes with what the ops mean.",
    )
    parser.add_argument("--address", required=True, help="HOST:PORT of the adapter")
    parser.add_argument("--op", action="append", help="only this op; may be repeated")
    parser.add_argument(
        "--known",
        type=Path,
        help='JSON with the reasons of expected failures: {"round": "...", "conv-3": "..."}',
    )
    return parser.parse_args(argv)


def _verdict(test: Any, subject: Subject, case: OpCase) -> tuple[str, str]:
    try:
        test(subject, case)
    except UnsupportedNodes as error:
        return "refused", f"{case}: {error}"
    except Respelled as error:
        return "respelled", str(error)
    except Mismatch as error:
        return "failed", str(error)
    except AdapterError as error:
        return "failed", f"{case}: {error}"
    return "right", ""


if __name__ == "__main__":
    sys.exit(main())
