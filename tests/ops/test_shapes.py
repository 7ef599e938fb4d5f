"""Shape rules over sizes with symbols, sizes only the run knows, and bodies over sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ir_hub.ir.dims import Dim, evaluate, maximum, minimum, symbol, symbols_of
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType, Shape, TensorType
from ir_hub.ops.build import Builder
from ir_hub.ops.catalogue import OPS

B, H, W = symbol("B"), symbol("H"), symbol("W")
FAR = 2**63 - 1


def shape_after(name: str, *operands: Any, **literals: Any) -> Shape | None:
    """The shape of a call; a list stands for a float tensor of that shape."""
    builder = Builder()
    given = [
        builder.input(f"x{i}", shape=tuple(item)) if isinstance(item, list) else item
        for i, item in enumerate(operands)
    ]
    found = builder.call(name, *given, **literals)
    return (found[0] if isinstance(found, tuple) else found).shape


def unknown_sizes(*shape: Dim) -> Value:
    """A vector of integers that only the run knows."""
    return Value("sizes", TensorType(DType.INT64, tuple(shape)))


def sizes(*items: Dim) -> np.ndarray:
    """What a shape tensor is before its symbols have values."""
    found = np.empty(len(items), object)
    found[:] = items
    return found


@pytest.mark.parametrize(
    ("name", "operands", "literals", "wanted"),
    [
        ("reshape", ([B, 3, 8], (0, -1)), {}, (B, 24)),
        ("reshape", ([B, 3, H, W], (-1, 3, H * W)), {}, (B, 3, H * W)),
        ("reshape", ([B, H], (-1, 4)), {}, (B * H // 4, 4)),
        ("reshape", ([B * 6, H], (B, 2, -1)), {}, (B, 2, 3 * H)),
        ("reshape", ([0, 3], (3, 0)), {"allow_zero": True}, (3, 0)),
        ("flatten", ([B, 3, H, W],), {"axis": 2}, (B * 3, H * W)),
        ("expand", ([B, 1, 5], (3, 1)), {}, (B, 3, 5)),
        ("expand", ([1, H], (B, H)), {}, (B, H)),
        ("transpose", ([B, 3, H, W],), {"perm": (0, 2, 3, 1)}, (B, H, W, 3)),
        ("squeeze", ([B, 1, H], (1,)), {}, (B, H)),
        ("unsqueeze", ([B, H], (0, -1)), {}, (1, B, H, 1)),
        ("tile", ([B, H], (1, 2)), {}, (B, H * 2)),
        ("concat", (([B, 3], [B, H]),), {"axis": 1}, (B, H + 3)),
        ("pad", ([B, H], (0, 1, 0, 2)), {}, (B, H + 3)),
        ("pad", ([B, H], (1, 2), None, (1,)), {}, (B, H + 3)),
        ("split", ([H],), {"count": 2}, ((H + 1) // 2,)),
        ("split", ([H], (3, H - 3)), {"count": 2}, (3,)),
        ("slice", ([B, H], (2,), (FAR,), (1,)), {}, (B, maximum(H - 2, 0))),
        ("slice", ([B, H], (2,), (10**9,), (1,)), {}, (B, maximum(H - 2, 0))),  # as JAX writes it
        ("slice", ([B, H], (0,), (5,), (1,)), {}, (B, minimum(H, 5))),
        ("slice", ([B, H], (-3,), (FAR,), (1,)), {}, (B, minimum(H, 3))),
        ("slice", ([B, H], (0,), (-1,), (1,)), {}, (B, maximum(H - 1, 0))),
        ("slice", ([B, H], (0,), (FAR,), (1,), (2,)), {}, (B, (H + 1) // 2)),
        ("slice", ([B, H], (-1,), (-FAR,), (1,), (-1,)), {}, (B, H)),
        ("slice", ([9, 512], (0,), (H,), (1,)), {}, (9, minimum(H, 512))),
        ("gather", ([50, 8], [B, H]), {}, (B, H, 8)),
        ("gather_nd", ([B, 4, W], [B, H, 1]), {"batch_dims": 1}, (B, H, W)),
        ("one_hot", ([B, H], (W,), [2]), {"axis": 1}, (B, W, H)),
        ("reduce_sum", ([B, H, W], (1,)), {"keepdims": False}, (B, W)),
        ("reduce_sum", ([B, H, W],), {}, (1, 1, 1)),
        ("top_k", ([B, H], (3,)), {"axis": 0}, (3, H)),
        ("constant_of_shape", ((B, 3),), {"value": 0, "dtype": DType.INT64}, (B, 3)),
        ("shape_of", ([B, H, W],), {"start": 1}, (2,)),
        ("space_to_depth", ([B, 3, H * 2, W * 2],), {"block": 2}, (B, 12, H, W)),
        ("where", ([B, 1], [1, H], [1]), {}, (B, H)),
    ],
)
def test_sizes_with_symbols(
    name: str, operands: tuple[Any, ...], literals: dict[str, Any], wanted: Shape
) -> None:
    if name == "concat":
        builder = Builder()
        xs = tuple(builder.input(f"x{i}", shape=tuple(s)) for i, s in enumerate(operands[0]))
        operands = (xs,)
    assert shape_after(name, *operands, **literals) == wanted


@pytest.mark.parametrize("size", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("end", [0, 3, 8, -1, -4, -20, FAR])
@pytest.mark.parametrize("start", [0, 2, 9, -1, -3, -20])
def test_slice_agrees_with_python(start: int, end: int, step: int, size: int) -> None:
    shape = shape_after("slice", [H], (start,), (end,), (0,), (step,))
    assert shape is not None
    assert evaluate(shape[0], {"H": size}) == len(range(size)[start:end:step])


def test_slice_up_to_a_size_of_unknown_sign_is_left_open() -> None:
    shape = shape_after("slice", [100], (0,), (H - 1,), (0,))
    assert shape is not None
    assert symbols_of(shape[0]) == {"u0"}


@pytest.mark.parametrize(
    ("name", "operands", "literals", "rank"),
    [
        ("reshape", ([B, H], unknown_sizes(3)), {}, 3),
        ("reshape", ([B, H], unknown_sizes(B)), {}, None),
        ("expand", ([B, H], unknown_sizes(3)), {}, 3),
        ("expand", ([B, H, W], unknown_sizes(1)), {}, 3),
        ("tile", ([B, H], unknown_sizes(2)), {}, 2),
        ("squeeze", ([B, H, W], unknown_sizes(2)), {}, 1),
        ("squeeze", ([B, H, W],), {}, None),
        ("unsqueeze", ([B, H], unknown_sizes(2)), {}, 4),
        ("slice", ([B, H], unknown_sizes(1), (3,)), {}, 2),
        ("pad", ([B, H], unknown_sizes(4)), {}, 2),
        ("reduce_max", ([B, H, W], unknown_sizes(1)), {}, 3),
        ("reduce_max", ([B, H, W], unknown_sizes(1)), {"keepdims": False}, 2),
        ("reduce_max", ([B, H, W], unknown_sizes(B)), {"keepdims": False}, None),
        ("constant_of_shape", (unknown_sizes(2),), {"value": 1, "dtype": DType.BOOL}, 2),
        ("center_crop_pad", ([B, H], unknown_sizes(2)), {}, 2),
        ("gather_nd", ([B, H], [4, W]), {}, None),
    ],
)
def test_sizes_that_only_the_run_knows_are_new_symbols(
    name: str, operands: tuple[Any, ...], literals: dict[str, Any], rank: int | None
) -> None:
    shape = shape_after(name, *operands, **literals)
    assert (None if shape is None else len(shape)) == rank


def test_sizes_without_a_type_are_not_taken_for_absent() -> None:
    assert shape_after("reduce_max", [B, H], Value("axes")) is None
    assert shape_after("squeeze", [1, 2], Value("axes")) is None


def test_slice_keeps_the_axes_it_does_not_cut() -> None:
    shape = shape_after("slice", [B, H], unknown_sizes(1), unknown_sizes(1), (1,))
    assert shape == (B, symbol("u0"))


@pytest.mark.parametrize(
    ("name", "operands", "literals", "message"),
    [
        ("add", ([2, 3], [4]), {}, r"\[2, 3\] and \[4\] don't broadcast"),
        ("reshape", ([2, 3], (4, 2)), {}, "changes the number of elements"),
        ("reshape", ([2, 3], (4, -1)), {}, "6 elements can't be divided by 4"),
        ("reshape", ([2, 3], (6, 1, 0)), {}, "takes size 2 of a tensor"),
        ("transpose", ([2, 3],), {"perm": (0, 0)}, "no order of the axes"),
        ("squeeze", ([2, 3], (0,)), {}, "aren't of size 1"),
        ("unsqueeze", ([2, 3], (0, 0)), {}, "an axis twice"),
        ("softmax", ([2, 3],), {"axis": 2}, "axis 2 of a tensor of rank 2"),
        ("split", ([5], (2, 2)), {"count": 2}, "split of an axis of 5"),
        ("split", ([3],), {"count": 5}, "can't be split into 5 parts"),
        ("slice", ([5], (0,), (3,), (0,), (0,)), {}, "a step of 0"),
        ("slice", ([5], (0, 1), (3,)), {}, "lengths differ"),
        ("pad", ([5], (1, 1, 1)), {}, "there must be two for each"),
        ("pad", ([5], (-4, -3)), {}, "take more away"),
        ("tile", ([5], (2, 2)), {}, "tile by"),
        ("top_k", ([5], (7,)), {}, "top_k of 7 elements along an axis of 5"),
        ("det", ([3, 4],), {}, "3 by 4"),
        ("depth_to_space", ([1, 3, 2, 2],), {"block": 2}, "can't be cut by 4"),
    ],
)
def test_operands_that_do_not_fit_are_refused(
    name: str, operands: tuple[Any, ...], literals: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        shape_after(name, *operands, **literals)


def test_concat_refuses_other_axes_that_differ() -> None:
    builder = Builder()
    xs = (builder.input("a", shape=(2, 3)), builder.input("b", shape=(2, 4)))
    with pytest.raises(ValueError, match="other axes differ"):
        builder.concat(xs, axis=0)


@pytest.mark.parametrize(
    ("name", "operands", "literals", "wanted"),
    [
        ("gather", (sizes(B, 3, H), np.array([2, 0])), {}, [H, B]),
        ("concat", ((sizes(B), np.array([-1])),), {"axis": 0}, [B, -1]),
        ("slice", (sizes(B, 3, H, W), (1,), (FAR,)), {}, [3, H, W]),
        ("unsqueeze", (sizes(B, H), (0,)), {}, [[B, H]]),
        ("squeeze", (sizes(B),), {}, B),
        ("reshape", (sizes(B, H), (1, -1)), {}, [[B, H]]),
        ("transpose", (sizes(B, H).reshape(1, 2),), {"perm": (1, 0)}, [[B], [H]]),
        ("tile", (sizes(B), (2,)), {}, [B, B]),
        ("expand", (sizes(B), (2,)), {}, [B, B]),
        ("split", (sizes(B, H), (1, 1)), {"count": 2}, [B]),
        ("identity", (sizes(B, H),), {}, [B, H]),
        ("add", (sizes(B, H), np.array(2)), {}, [B + 2, H + 2]),
        ("sub", (sizes(B, H), sizes(1, H)), {}, [B - 1, 0]),
        ("mul", (sizes(B, H), sizes(H, 2)), {}, [B * H, H * 2]),
        ("div", (sizes(B, H * 4), np.array([2, 4])), {}, [B // 2, H]),
        ("div", (sizes(-7, B), np.array([2, 1])), {}, [-3, B]),
        ("mod", (sizes(B, 7), np.array(4)), {}, [B % 4, 3]),
        ("mod", (sizes(B, -7), np.array(4)), {"fmod": True}, [B % 4, -3]),
        ("neg", (sizes(B, 2),), {}, [-B, -2]),
        ("sign", (sizes(B + 1, -3),), {}, [1, -1]),
        ("minimum", (sizes(B, 3), np.array(2)), {}, [minimum(B, 2), 2]),
        ("maximum", (sizes(B, 3), np.array(2)), {}, [maximum(B, 2), 3]),
        ("reduce_sum", (sizes(B, H, 3), None), {"keepdims": False}, B + H + 3),
        ("reduce_prod", (sizes(B, H, 3), (0,)), {}, [B * H * 3]),
        ("reduce_max", (sizes(B, H, 3), None), {"keepdims": False}, maximum(B, H, 3)),
        ("reduce_min", (sizes(B, H, 3), (0,)), {}, [minimum(B, H, 3)]),
        ("where", (np.array([True, False]), sizes(B, H), np.array([5, 6])), {}, [B, 6]),
        ("equal", (sizes(B, H, 3), sizes(B, -1, 3)), {}, [True, False, True]),
        ("cast", (sizes(B, 3),), {"to": DType.INT32}, [B, 3]),
        ("shape_of", (sizes(B, 3),), {}, [2]),
        ("size_of", (sizes(B, 3),), {}, 2),
    ],
)
def test_bodies_compute_on_sizes(
    name: str, operands: tuple[Any, ...], literals: dict[str, Any], wanted: Any
) -> None:
    op = OPS[name]
    assert op.symbolic
    args = op.complete(dict(zip(op.params, operands, strict=False)) | literals)
    found = op.call(args)[0]
    assert found.tolist() == wanted


@pytest.mark.parametrize(
    ("name", "operands", "literals"),
    [
        ("equal", (sizes(H), np.array([3])), {}),
        ("sign", (sizes(H),), {}),
        ("div", (sizes(6), sizes(H - 2)), {}),
        ("cast", (sizes(H),), {"to": DType.FLOAT32}),
        ("cast", (sizes(H),), {"to": DType.BOOL}),
        ("mod", (sizes(6), sizes(H - 2)), {"fmod": True}),
    ],
)
def test_what_depends_on_the_run_is_refused(
    name: str, operands: tuple[Any, ...], literals: dict[str, Any]
) -> None:
    op = OPS[name]
    args = op.complete(dict(zip(op.params, operands, strict=False)) | literals)
    with pytest.raises(TypeError):
        op.call(args)


@pytest.mark.parametrize("height", [0, 1, 2, 5, 8])
def test_division_of_sizes_rounds_toward_zero(height: int) -> None:
    found = OPS["div"].call({"x": sizes(H - 3), "y": np.array([2])})[0]
    assert evaluate(found[0] + 1, {"H": height}) == int((height - 3) / 2) + 1
