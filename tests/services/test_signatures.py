"""The signature that is read of a SavedModel is the one that the proof runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ir_hub.environments import python_of
from irhub.hub.v1 import hub_pb2
from tests.matrix.services import HOME, running
from tests.services.processes import ROOT


def test_each_signature_is_proven(tmp_path: Path, subtests: pytest.Subtests) -> None:
    saved = tmp_path / "saved"
    command = [python_of("tensorflow", HOME), "-m", "tests.services.signatures", saved]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with running(tmp_path / "services", ["tensorflow"]) as services:
        files = services.hub.upload([saved])
        for options, op in (({}, "mul"), ({"signature": "negated"}, "neg")):
            with subtests.test(op):
                spec = hub_pb2.ConversionSpec(files=files, target="ir", parse_options=options)
                done = services.convert(spec)
                assert done.state == done.STATE_SUCCEEDED, done.failure
                assert done.comparison.equal
                assert dict(services.hub.inspect(done.files).ops) == {op: 1}
