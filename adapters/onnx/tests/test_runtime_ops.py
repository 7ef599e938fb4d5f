"""ONNX Runtime's own ops mean what ONNX Runtime computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from adapters.onnx.tests.models import files_of, on_disk, parsed, run, written
from ir_hub.sdk.errors import UnsupportedNodes
from ir_hub.simplify.reference import run as run_reference

RANDOM = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def bytes_of(kind: Any, *shape: int) -> np.ndarray:
    limits = np.iinfo(kind)
    return RANDOM.integers(limits.min, limits.max, shape, endpoint=True, dtype=kind)


def whole(*rows: Any) -> np.ndarray:
    return np.array(rows, np.int32)


def scalar(number: float) -> np.ndarray:
    return np.array(number, np.float32)


X, IMAGE, KERNEL = floats(2, 5, 8), floats(2, 4, 7, 6), floats(6, 4, 3, 2)
QKV = [floats(8, 24), floats(24)]
PADDED, LENGTHS = whole([1, 1, 1, 1, 1], [1, 1, 1, 0, 0]), whole(5, 3)
SQUARE = RANDOM.integers(0, 2, (2, 5, 5)).astype(np.int32)
HEADS = {"num_heads": 2}
KEYS, VALUES = floats(2, 3, 8), floats(2, 3, 4)
WORDS = [whole([1, 2, 3, 0, 0], [4, 5, 6, 7, 8]), whole([0, 0, 1, 1, 1], [0, 1, 1, 0, 0])]
TABLES = [floats(9, 8), floats(6, 8), floats(2, 8)]
NORM = [floats(8), floats(8)]

STANDARD = ("LayerNormalization", "SimplifiedLayerNormalization")  # by their domain, in any opset

Case = tuple[str, list[np.ndarray | None], dict[str, Any], int]


def fused(op: str, operands: list[np.ndarray | None]) -> list[Case]:
    """FusedConv and FusedGemm with every activation that ONNX Runtime fuses."""
    numbers = {"LeakyRelu": (0.2,), "HardSigmoid": (0.3, 0.4), "Clip": (-0.5, 0.7)}
    gemm = {"ThresholdedRelu": (0.1,), "Elu": (0.6,), "Softplus": (), "Softsign": ()}
    plain = dict.fromkeys(("Relu", "Tanh", "Sigmoid"), ())
    if op == "FusedConv":
        said = {name: {"activation_params": values} if values else {}
                for name, values in {**plain, **numbers}.items()}  # fmt: skip
    else:
        names = ("activation_alpha", "activation_beta")
        del numbers["Clip"]
        said = {name: dict(zip(names, values, strict=False))
                for name, values in {**plain, **numbers, **gemm}.items()}  # fmt: skip
    return [(op, operands, {"activation": name, **more}, 1) for name, more in said.items()]


CASES: list[Case] = [
    *fused("FusedConv", [IMAGE, KERNEL]),
    *fused("FusedGemm", [floats(3, 4), floats(4, 5)]),
    ("FusedConv", [IMAGE, KERNEL, floats(6), floats(2, 6, 4, 5)],
     {"activation": "Relu", "pads": (1, 0, 1, 0), "strides": (2, 1)}, 1),
    ("FusedGemm", [floats(4, 3), floats(5, 4), floats(5)],
     {"alpha": 0.7, "beta": 0.2, "transA": 1, "transB": 1, "activation": "Relu"}, 1),
    ("FusedMatMul", [floats(2, 3, 4), floats(2, 4, 5)], {}, 1),
    ("FusedMatMul", [floats(2, 4, 3), floats(5, 4)], {"alpha": 0.3, "transA": 1, "transB": 1}, 1),
    ("TransposeMatMul", [floats(2, 3, 4), floats(2, 5, 4)], {"transB": 1}, 1),
    ("Gelu", [X], {}, 1),
    ("BiasGelu", [X, floats(8)], {}, 1),
    ("FastGelu", [X], {}, 1),
    ("FastGelu", [X, floats(8)], {}, 1),
    ("QuickGelu", [X], {}, 1),
    ("QuickGelu", [X], {"alpha": 1.0}, 1),
    ("LayerNormalization", [X, *NORM], {"epsilon": 1e-2}, 1),
    ("SimplifiedLayerNormalization", [X, floats(8)], {"epsilon": 1e-2}, 1),
    ("SkipLayerNormalization", [X, floats(2, 5, 8), *NORM], {"epsilon": 1e-2}, 1),
    ("SkipLayerNormalization", [X, floats(1, 5, 8), *NORM, floats(8)], {}, 4),
    ("SkipSimplifiedLayerNormalization", [X, floats(2, 5, 8), NORM[0]], {}, 4),
    ("SkipSimplifiedLayerNormalization", [X, floats(2, 5, 8), *NORM], {}, 1),
    ("DynamicQuantizeMatMul", [X, bytes_of(np.uint8, 8, 3), floats(1), np.uint8([9])], {}, 1),
    ("DynamicQuantizeMatMul", [X, bytes_of(np.int8, 8, 3), floats(3), None, floats(3)], {}, 1),
    ("MatMulIntegerToFloat",
     [bytes_of(np.uint8, 4, 8), bytes_of(np.int8, 8, 3), scalar(0.1), floats(3),
      np.array(7, np.uint8), None, floats(3)], {}, 1),
    ("Attention", [X, *QKV], HEADS, 1),
    ("Attention", [X, *QKV, PADDED], HEADS, 1),
    ("Attention", [X, *QKV, LENGTHS], {**HEADS, "mask_filter_value": -7.0}, 1),
    ("Attention", [X, *QKV, SQUARE], {**HEADS, "scale": 0.3}, 1),
    ("Attention", [X, *QKV], {**HEADS, "unidirectional": 1}, 1),
    ("Attention", [X, *QKV, None, None, floats(2, 2, 5, 5)], HEADS, 1),
    ("Attention", [X, *QKV, PADDED, None, floats(1, 2, 5, 5)], HEADS, 1),
    ("Attention", [X, floats(8, 20), floats(20)], {**HEADS, "qkv_hidden_sizes": (8, 8, 4)}, 1),
    ("MultiHeadAttention", [X, KEYS, VALUES], HEADS, 1),
    ("MultiHeadAttention", [X, KEYS, VALUES, floats(20)], {**HEADS, "scale": 0.2}, 1),
    ("MultiHeadAttention", [X, X, X, None, PADDED], {**HEADS, "unidirectional": 1}, 1),
    ("MultiHeadAttention", [X, KEYS, VALUES, None, whole(3, 2)], HEADS, 1),
    ("MultiHeadAttention", [X, KEYS, VALUES, None, None, floats(2, 2, 5, 3)], HEADS, 3),
    ("EmbedLayerNormalization", [*WORDS, *TABLES, *NORM, PADDED], {"epsilon": 1e-3}, 3),
    ("EmbedLayerNormalization", [WORDS[0], None, *TABLES[:2], None, *NORM], {}, 3),
    ("EmbedLayerNormalization",
     [*WORDS, *TABLES, *NORM, None, whole([4, 3, 2, 1, 0], [0, 1, 0, 1, 0])], {}, 2),
]  # fmt: skip


def model_of(case: Case, folder: Path) -> tuple[Any, dict[str, np.ndarray]]:
    """A model of that one node, all of whose operands but the first are weights."""
    op, operands, attributes, count = case
    names = ["" if array is None else f"x{place}" for place, array in enumerate(operands)]
    skips = ("mean", "inv_std_var") if op.startswith("Skip") else ()
    outputs = ["y", *(skips if count == 4 else ()), *[f"z{i}" for i in range(count - 1)]][:count]
    named = ["" if name in skips else name for name in outputs]
    domain = "" if op in STANDARD else "com.microsoft"
    node = helper.make_node(op, names, named, domain=domain, **attributes)
    first = helper.make_tensor_value_info(
        "x0", helper.np_dtype_to_tensor_dtype(operands[0].dtype), operands[0].shape
    )
    weights = [numpy_helper.from_array(array, name)
               for name, array in zip(names[1:], operands[1:], strict=True) if name]  # fmt: skip
    results = [helper.make_empty_tensor_value_info(name) for name in named if name]
    graph = helper.make_graph([node], "main", [first], results, weights)
    imports = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10), {"x0": operands[0]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{len(case[1])}")
def test_computes_what_onnx_runtime_does(case: Case, tmp_path: Path) -> None:
    model, inputs = model_of(case, tmp_path)
    source = tmp_path / "source.onnx"
    source.write_bytes(model.SerializeToString())
    expected = list(run(on_disk(source), inputs).values())
    middle = parsed(files_of(("model.onnx", model.SerializeToString())))
    for found in (run_reference(middle, inputs), run(written(middle, tmp_path), inputs).values()):
        for array, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(array, wanted, rtol=2e-5, atol=2e-5)
            assert array.dtype == wanted.dtype


REFUSED: list[tuple[Case, str]] = [
    (("FusedConv", [IMAGE, KERNEL], {"activation": "Mish"}, 1), "the activation Mish"),
    (("FusedConv", [IMAGE, KERNEL], {"activation": "LeakyRelu"}, 1), "of parameters"),
    (("FusedMatMul", [X, X], {"transBatchA": 1}, 1), "moves the axes of the batch"),
    (("Attention", [X, *QKV], HEADS, 2), "keeps its keys and values"),
    (("Attention", [X, *QKV, whole(1, 2, 3)], HEADS, 1), "a mask of other sizes"),
    (("Attention", [X, *QKV], {"num_heads": 3}, 1), "3 heads over 8 channels"),
    (("Attention", [X, *QKV], {**HEADS, "do_rotary": 1}, 1), "the attribute do_rotary"),
    (("MultiHeadAttention", [floats(2, 5, 2, 3, 4)], HEADS, 1), "packed into one"),
    (("EmbedLayerNormalization", [*WORDS, *TABLES, *NORM], {"mystery": 1}, 2), "mystery"),
]


@pytest.mark.parametrize(("case", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_it_can_do_beyond_is_refused(case: Case, message: str, tmp_path: Path) -> None:
    model, _ = model_of(case, tmp_path)
    with pytest.raises(UnsupportedNodes, match=message):
        parsed(model)
