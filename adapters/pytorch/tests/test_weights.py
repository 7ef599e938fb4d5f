"""Weights: streamed to the file, keyed by the code's own names, loaded without a copy."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from adapters.pytorch.run import to_numpy
from adapters.pytorch.tests.saved import run_saved, write
from adapters.pytorch.weights import CODES, write_weights
from ir_hub.codegen.derived import derived
from ir_hub.ir.graph import Model, Value, constant
from ir_hub.ir.tensor import ArrayTensor, Blob, BlobTensor
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder

MIB = 2**20
READABLE = [dtype for dtype in CODES if dtype is not DType.COMPLEX64]


def none(*_: object) -> None:
    """A progress that nobody follows."""


@pytest.mark.parametrize("dtype", READABLE)
def test_every_type_comes_back(dtype: DType, tmp_path: Path) -> None:
    array = np.array([[0, 1, 0], [1, 1, 0]]).astype(dtype.numpy)
    write_weights(tmp_path / "w", {"a.b": ArrayTensor(array)}, {"k": "v"}, none)
    found = load_file(tmp_path / "w")["a.b"]
    np.testing.assert_array_equal(to_numpy(found), array)
    with safe_open(tmp_path / "w", "pt") as file:
        assert file.metadata() == {"k": "v"}


def test_tensors_are_aligned_and_permuted_ones_are_written_in_their_order(tmp_path: Path) -> None:
    stored = np.arange(6, dtype=np.float32).reshape(2, 3)
    blob = memoryview(stored.tobytes())
    turned = BlobTensor(Blob("", 24), 0, DType.FLOAT32, (2, 3), lambda _: blob).permuted((1, 0))
    half = ArrayTensor(np.ones(3, ml_dtypes.bfloat16))
    write_weights(tmp_path / "w", {"a": half, "b": turned, "c": half}, {}, none)
    content = (tmp_path / "w").read_bytes()
    assert int.from_bytes(content[:8], "little") % 8 == 0
    found = load_file(tmp_path / "w")
    np.testing.assert_array_equal(found["b"].numpy(), stored.T)


def test_a_constant_made_from_another_keeps_its_axes_in_order() -> None:
    source = constant(np.arange(6, dtype=np.float32).reshape(1, 2, 3))
    made = derived(source, (2, 3), lambda array: array[0] + 1).data
    assert made is not None
    wanted = source.array()[0] + 1
    np.testing.assert_array_equal(made.permuted((1, 0)).numpy(), wanted.T)
    turned = made.with_axes((1, None, 0))
    assert turned.shape == turned.numpy().shape == (3, 1, 2)
    np.testing.assert_array_equal(turned.numpy()[:, 0], wanted.T)


def test_one_tensor_is_in_memory_at_a_time(tmp_path: Path) -> None:
    size = 4 * MIB

    def mapped(_: Blob) -> memoryview:
        return memoryview(bytes(size))  # as if it were read when it is opened, and dropped after

    tensors = {
        str(i): BlobTensor(Blob("", size), 0, DType.FLOAT32, (MIB,), mapped) for i in range(8)
    }
    tracemalloc.start()
    write_weights(tmp_path / "w", tensors, {}, none)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.5 * size
    assert (tmp_path / "w").stat().st_size > 8 * size


def linear_twice() -> tuple[Model, np.ndarray]:
    """Two layers with the same weights."""
    b = Builder()
    weight = b.constant(np.array([[2, 1], [0, 3]], np.float32), name="shared.weight")
    x = b.input("x", shape=(1, 2))
    with b.within("first"):
        y = b.linear(x, weight)
    with b.within("second"):
        b.graph.outputs = [b.linear(b.relu(y), weight)]
    return Model(b.graph), weight.array()


def test_names_say_where_a_weight_went(tmp_path: Path) -> None:
    model, weight = linear_twice()
    names = write(model, tmp_path).weight_names
    found = load_file(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(found[names["shared.weight"]].numpy(), weight)
    x = np.array([[1, -4]], np.float32)
    wanted = np.maximum(x @ weight.T, 0) @ weight.T
    (found_y,) = run_saved(tmp_path, {"x": x}).values()
    np.testing.assert_array_equal(found_y, wanted)


def test_loading_makes_no_copy_of_the_weights(tmp_path: Path) -> None:
    model, _ = linear_twice()
    write(model, tmp_path)
    namespace: dict[str, Callable[..., torch.nn.Module]] = {}
    exec((tmp_path / "model.py").read_text("utf-8"), namespace)
    module = namespace["load"](str(tmp_path / "model.safetensors"))
    assert not module.training
    assert all(p.requires_grad and p.device.type == "cpu" for p in module.parameters())


def one_gate_order(op: str, gates: int) -> tuple[Model, np.ndarray, Model]:
    """A recurrent layer as PyTorch's own, and with weights that come as inputs."""
    random = np.random.default_rng(0)

    def made(constant_weights: bool) -> Model:
        b = Builder()
        x = b.input("x", shape=(5, 2, 3))
        rows = gates * 4
        shapes = {"weight": (2, rows, 3), "recurrent": (2, rows, 4), "bias": (2, 2 * rows)}
        arrays = {
            name: np.random.default_rng(len(name)).uniform(-1, 1, shape).astype(np.float32)
            for name, shape in shapes.items()
        }
        values: list[Value] = [
            constant(a, n) if constant_weights else b.identity(constant(a, n))
            for n, a in arrays.items()
        ]
        more = {"linear_before_reset": True} if op == "gru" else {}
        b.graph.outputs = list(
            b.call(op, x, *values, hidden_size=4, direction="bidirectional", **more)
        )
        return Model(b.graph)

    return made(True), random.uniform(-1, 1, (5, 2, 3)).astype(np.float32), made(False)


@pytest.mark.parametrize(("op", "gates"), [("lstm", 4), ("gru", 3), ("rnn", 1)])
def test_gates_are_put_in_pytorchs_order(op: str, gates: int, tmp_path: Path) -> None:
    layer, x, loop = one_gate_order(op, gates)
    write(layer, tmp_path)
    assert f"nn.{op.upper()}(" in (tmp_path / "model.py").read_text("utf-8")
    by_layer = list(run_saved(tmp_path, {"x": x}).values())
    write(loop, tmp_path)
    assert f"_{op}(" in (tmp_path / "model.py").read_text("utf-8")
    for ours, theirs in zip(run_saved(tmp_path, {"x": x}).values(), by_layer, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-6)
