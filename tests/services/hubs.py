"""Hubs as processes of their own, with adapters that aren't part of the project."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ir_hub.blobs import LocalStore
from ir_hub.blobs.wire import blob_to_proto
from ir_hub.client import HubClient
from ir_hub.ir import serde
from ir_hub.ir.dims import Symbol, symbol
from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import Blob
from ir_hub.ops.build import Builder
from ir_hub.ops.op import OPSET
from irhub.adapter.v1 import adapter_pb2
from irhub.hub.v1 import hub_pb2
from irhub.ir.v1 import ir_pb2
from tests.services.processes import ROOT

State = hub_pb2.Conversion


@dataclass
class Hub:
    """A running hub, and a client that shares its store."""

    process: subprocess.Popen[str]
    client: HubClient
    folder: Path

    def put(self, content: bytes, name: str) -> adapter_pb2.File:
        """A file that the hub has."""
        blob = self.client.store.put_bytes(content)
        return adapter_pb2.File(name=name, blob=blob_to_proto(blob))

    def convert(self, spec: hub_pb2.ConversionSpec) -> hub_pb2.Conversion:
        """A conversion that has ended."""
        name = self.client.create(spec).name
        return list(self.client.watch(name))[-1]

    def kill(self) -> None:
        """Kills it, as the system does when it is out of memory."""
        self.client.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Stops it; its exit status."""
        self.client.close()
        with suppress(ProcessLookupError):
            self.process.terminate()
        return self.process.wait(40)


def start_hub(folder: Path, *flags: str) -> Hub:
    """Starts a hub on a folder, which may be an earlier one's."""
    folder.mkdir(exist_ok=True)
    process = launch(folder, *flags)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the hub didn't start: {(folder / 'log').read_text()}"
    client = HubClient(json.loads(line)["address"], LocalStore(folder / "store"))
    return Hub(process, client, folder)


def launch(folder: Path, *flags: str) -> subprocess.Popen[str]:
    """Runs a hub's program; its log is `log` in the folder."""
    with open(folder / "log", "a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ir_hub.hub", f"--home={folder}", *flags],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if not k.startswith("IRHUB_")},
        )


def gelu_model() -> Model:
    """A linear layer and a GELU, both spelled out, with an open batch."""
    random = np.random.default_rng(5)
    b = Builder()
    x = b.input("x", shape=(symbol("N"), 8))
    weight = b.constant(random.normal(size=(8, 16)).astype(np.float32), name="weight")
    y = b.add(b.matmul(x, weight), b.constant(np.float32(random.normal(size=16)), name="bias"))
    half = b.mul(y, b.constant(np.float32(0.5)))
    y = b.mul(half, b.add(b.erf(b.div(y, b.constant(np.float32(2**0.5)))), np.float32(1)))
    y.name = "y"
    b.graph.outputs = [y]
    return Model(b.graph, symbols={"N": Symbol("N", 1)})


def put_model(model: Model, store: LocalStore) -> Blob:
    """A model in a store."""
    return store.put_bytes(serde.dump_bytes(model, store.put_bytes, OPSET))


def ir_file(hub: Hub) -> adapter_pb2.File:
    """The GELU model as a file of IR."""
    blob = put_model(gelu_model(), hub.client.store)
    return adapter_pb2.File(name="gelu.binpb", blob=blob_to_proto(blob))


def rows(width: int = 4) -> ir_pb2.TensorType:
    """The type of a float32 matrix with any number of rows."""
    shape = [ir_pb2.Dimension(expression="N"), ir_pb2.Dimension(size=width)]
    return ir_pb2.TensorType(data_type=ir_pb2.DATA_TYPE_FLOAT32, shape=shape)
