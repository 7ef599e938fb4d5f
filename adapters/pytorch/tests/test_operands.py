"""What PyTorch computes is what the op means, whatever kinds of operands it gets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.pytorch.table import pytorch
from adapters.pytorch.tests.operands import VARIANTS
from adapters.pytorch.tests.saved import run_saved, write
from ir_hub.ir.graph import Model
from ir_hub.ops.cases import case_arguments
from ir_hub.ops.op import OPS
from ir_hub.sdk.conformance import difference, op_cases
from ir_hub.sdk.errors import UnsupportedNodes


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("op", sorted(set(pytorch.written())))
def test_operands(op: str, variant: str, tmp_path: Path) -> None:
    for case in op_cases([op]):
        made = VARIANTS[variant](op, case.case)
        if made is None:
            continue
        graph, feeds = made
        for index, value in enumerate(graph.outputs):
            value.name = f"y{index}"
        try:
            write(Model(graph), tmp_path)
        except UnsupportedNodes:
            continue
        found = run_saved(tmp_path, feeds)
        with np.errstate(all="ignore"):
            wanted = OPS[op].call(case_arguments(op, case.case))
        for ours, theirs in zip(wanted, found.values(), strict=True):
            problem = difference(ours, theirs, case.case.tolerance)
            assert not problem, f"{case}: {problem}\n{(tmp_path / 'model.py').read_text('utf-8')}"
