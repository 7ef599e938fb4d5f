"""An exported program through the stages that a worker offers, as the hub asks for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from adapters.pytorch.adapter import PyTorchAdapter
from adapters.pytorch.tests.exported import close, export
from ir_hub.ir.tensor import BlobTensor
from ir_hub.sdk.client import NamedBlob
from ir_hub.sdk.stages import load_model
from ir_hub.sdk.subject import InProcess


def test_parse_emit_and_run_both(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 2, 1))
    batch = torch.export.Dim("batch", min=1, max=64)
    x = torch.randn(2, 3, 6, 5)
    path = export(module, (x,), tmp_path / "model.pt2", ({0: batch},))
    subject = InProcess(PyTorchAdapter(), tmp_path / "store")
    source = [NamedBlob("model.pt2", subject.store.put_bytes(path.read_bytes()))]
    parsed = subject.parse(source, {})
    model = load_model(subject.store.open(parsed), subject.store)
    weights = [value.data for value in model.graph.constants()]
    # No weight was copied: all of them are where they lie in the file itself.
    assert all(isinstance(w, BlobTensor) and w.blob == source[0].blob for w in weights)
    wanted = [module(x).detach().numpy()]
    feeds = {"input": np.asarray(x)}
    close(list(subject.run(source, feeds).values()), wanted, 1e-6)
    found = subject.run(subject.emit(parsed), feeds)
    close(list(found.values()), wanted, 1e-6)
    assert found.keys() == subject.run(source, feeds).keys()
