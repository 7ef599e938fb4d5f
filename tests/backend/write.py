"""Writes ONNX's backend tests as IR and tensors: `python -m tests.backend.write FOLDER`.

Needs the ONNX adapter's environment. What it writes is read in every other one.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import onnx

from adapters.onnx.tests import backend_case as suite
from ir_hub.hub import pipeline
from ir_hub.ir import serde
from ir_hub.ir.verify import verify
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import OPSET
from ir_hub.sdk.errors import UnsupportedNodes
from tests.backend.agreement import as_ours, summary
from tests.backend.case import BackendCase, Cases


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.backend.write", description=__doc__)
    parser.add_argument("folder", type=Path)
    cases = Cases(parser.parse_args().folder)
    cases.save([written(case, cases) for _, case in suite.load_cases()])


def written(case: Any, cases: Cases) -> BackendCase:
    """A case, its model after the hub's passes that don't depend on the target."""
    content, put = suite.content_of(case), cases.store.put_bytes
    put(content)  # where the weights stay
    try:
        model = suite.read_model(content)
        verify(model, OPS)
        names = [value.name for value in model.graph.inputs]
        model = pipeline.simplify(model)
        pipeline.recover(model)
        blob = put(serde.dump_bytes(model, put, OPSET))
    except UnsupportedNodes as error:
        said = f"refused: {error.problems[0].description}"
        return BackendCase(case.name, case.rtol, case.atol, said)
    except Exception as error:
        return BackendCase(case.name, case.rtol, case.atol, f"not read: {summary(error)}")
    runs = [
        (_stored(names, given, cases), _stored(map(str, range(len(wanted))), wanted, cases))
        for given, wanted in suite.data_sets_of(case, onnx.load_from_string(content))
    ]
    return BackendCase(case.name, case.rtol, case.atol, model=blob, runs=tuple(runs))


def _stored(names: Any, values: Any, cases: Cases) -> Any:
    arrays = map(as_ours, values)
    return cases.put_arrays(dict(zip(names, arrays, strict=True)))


if __name__ == "__main__":
    main()
