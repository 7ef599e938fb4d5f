"""What bodies compute where it is easily wrong: rounding, ranges, ties, narrow types."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from ir_hub.ir.types import DType
from ir_hub.ops.catalogue import OPS


def run(name: str, *tensors: Any, **literals: Any) -> np.ndarray:
    """The first result of a call."""
    op = OPS[name]
    return op.call(op.complete(dict(zip(op.params, tensors, strict=False)) | literals))[0]


def ints(*items: int, dtype: Any = np.int64) -> np.ndarray:
    return np.array(items, dtype)


def floats(*items: float, dtype: Any = np.float32) -> np.ndarray:
    return np.array(items, dtype)


def test_erf_is_exact() -> None:
    x = np.linspace(-6, 6, 4001)
    wanted = np.array([math.erf(item) for item in x.tolist()])
    np.testing.assert_allclose(run("erf", x), wanted, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
@pytest.mark.parametrize("name", ["exp", "sqrt", "sigmoid", "gelu", "softplus", "erf", "elu"])
def test_scalars_keep_their_type(name: str, dtype: Any) -> None:
    assert run(name, np.array(0.75, dtype)).dtype == dtype


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.uint64])
@pytest.mark.parametrize("name", ["add", "mul", "div", "mod", "floor_div", "pow", "minimum"])
def test_integers_keep_their_type(name: str, dtype: Any) -> None:
    assert run(name, ints(7, 5, dtype=dtype), np.array(2, dtype)).dtype == dtype


def test_small_integers_wrap() -> None:
    assert run("add", ints(120, dtype=np.int8), ints(10, dtype=np.int8)).tolist() == [-126]
    assert run("reduce_sum", ints(120, 10, dtype=np.int8)).tolist() == [-126]


def test_division_of_integers_rounds_toward_zero() -> None:
    x, y = ints(7, -7, 7, -7, -6), ints(2, 2, -2, -2, 3)
    assert run("div", x, y).tolist() == [3, -3, -3, 3, -2]
    assert run("floor_div", x, y).tolist() == [3, -4, -4, 3, -2]
    assert run("mod", x, y).tolist() == [1, 1, -1, -1, 0]
    assert run("mod", x, y, fmod=True).tolist() == [1, -1, 1, -1, 0]


def test_integers_to_negative_powers_round_toward_zero() -> None:
    assert run("pow", ints(1, -1, -1, 5, -5), ints(-3, -3, -2, -1, -2)).tolist() == [1, -1, 1, 0, 0]


def test_round_takes_halves_to_even() -> None:
    assert run("round", floats(0.5, 1.5, 2.5, -0.5, -1.5)).tolist() == [0, 2, 2, 0, -2]


def test_shifts_by_all_bits_leave_the_sign() -> None:
    assert run("bit_shift", ints(-5, 5), ints(64, 64), direction="right").tolist() == [-1, 0]
    x, places = ints(200, 200, dtype=np.uint8), ints(8, 1, dtype=np.uint8)
    assert run("bit_shift", x, places, direction="right").tolist() == [0, 100]
    assert run("bit_shift", x, places, direction="left").tolist() == [0, 144]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_activations_are_finite_far_out(dtype: Any) -> None:
    x = floats(-20000, -700, 700, 20000, dtype=dtype)
    wanted = np.maximum(x, 0)
    np.testing.assert_allclose(run("sigmoid", x), [0, 0, 1, 1], atol=1e-300)
    for name in ("silu", "softplus", "mish", "gelu", "hard_swish"):
        np.testing.assert_allclose(run(name, x), wanted, atol=1e-300, err_msg=name)
    assert run("log_softmax", x).tolist()[-1] == 0
    assert np.isfinite(run("log_softmax", x)[0])


def test_sigmoid_keeps_what_is_small() -> None:
    x = floats(-80, dtype=np.float64)
    np.testing.assert_allclose(run("sigmoid", x), math.exp(-80), rtol=1e-14)
    np.testing.assert_allclose(run("softplus", x), math.exp(-80), rtol=1e-14)


def test_narrow_floats_are_summed_wide() -> None:
    assert run("reduce_sum", np.ones(4096, ml_dtypes.bfloat16)).item() == 4096
    assert run("reduce_mean", np.full(4096, 100, np.float16)).item() == 100


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("reduce_sum", 0),
        ("reduce_prod", 1),
        ("reduce_max", -math.inf),
        ("reduce_min", math.inf),
        ("reduce_log_sum_exp", -math.inf),
    ],
)
def test_reductions_of_nothing(name: str, wanted: float) -> None:
    assert run(name, np.zeros((2, 0), np.float32), (1,)).tolist() == [[wanted]] * 2


def test_nan_passes_through() -> None:
    x = floats(math.nan, 1.0)
    for name in ("relu", "relu6", "sigmoid", "leaky_relu", "elu", "sign", "clip", "gelu"):
        assert np.isnan(run(name, x)).tolist() == [True, False], name
    assert np.isnan(run("maximum", x, floats(0.0))).tolist() == [True, False]


def test_equal_elements_rank_by_their_place() -> None:
    x = ints(3, 1, 3, 1)
    assert OPS["top_k"].call({"x": x, "k": (4,)} | TOP_K)[1].tolist() == [0, 2, 1, 3]
    smallest = OPS["top_k"].call({"x": x, "k": (4,)} | TOP_K | {"largest": False})
    assert smallest[1].tolist() == [1, 3, 0, 2]
    assert run("arg_max", x, keepdims=False).item() == 0
    assert run("arg_max", x, keepdims=False, select_last_index=True).item() == 2
    assert run("hardmax", floats(3, 1, 3)).tolist() == [1, 0, 0]


TOP_K = {"axis": -1, "largest": True, "sorted": True}


def test_unique_in_order_of_occurrence() -> None:
    call = {"x": ints(2, 1, 1, 3, 2), "axis": None, "sorted": False}
    found = [result.tolist() for result in OPS["unique"].call(call)]
    assert found == [[2, 1, 3], [0, 1, 3], [0, 1, 1, 2, 0], [2, 2, 1]]


def test_repeated_places_are_all_combined() -> None:
    places, updates = ints(1, 1), floats(2, 5)
    x = floats(1, 3)
    assert run("scatter_elements", x, places, updates, reduction="add").tolist() == [1, 10]
    assert run("scatter_elements", x, places, updates, reduction="mul").tolist() == [1, 30]
    assert run("scatter_elements", x, places, updates, reduction="max").tolist() == [1, 5]
    assert x.tolist() == [1, 3]


def test_one_hot_has_no_place_beyond_its_depth() -> None:
    found = run("one_hot", ints(-3, -1, 2, 3), (3,), ints(0, 7))
    assert found.tolist() == [[7, 0, 0], [0, 0, 7], [0, 0, 7], [0, 0, 0]]


def test_reflected_pads_may_be_wider_than_the_tensor() -> None:
    found = run("pad", ints(1, 2, 3), (5, 4), mode="reflect")
    assert found.tolist() == np.pad([1, 2, 3], (5, 4), mode="reflect").tolist()


@pytest.mark.parametrize(
    ("to", "beyond", "saturated", "unsaturated"),
    [
        (DType.FLOAT8_E4M3FN, 1000.0, 448.0, math.nan),
        (DType.FLOAT8_E4M3FN, -math.inf, -448.0, math.nan),
        (DType.FLOAT8_E4M3FNUZ, 1000.0, 240.0, math.nan),
        (DType.FLOAT8_E5M2, math.inf, 57344.0, math.inf),
        (DType.FLOAT8_E5M2, -1e6, -57344.0, -math.inf),
        (DType.FLOAT8_E5M2FNUZ, 1e6, 57344.0, math.nan),
    ],
)
def test_casts_to_small_floats(
    to: DType, beyond: float, saturated: float, unsaturated: float
) -> None:
    x = floats(beyond, math.nan)
    inside, outside = run("cast", x, to=to), run("cast", x, to=to, saturate=False)
    np.testing.assert_equal(inside.astype(np.float32), floats(saturated, math.nan))
    np.testing.assert_equal(outside.astype(np.float32), floats(unsaturated, math.nan))


def test_casts_to_powers_of_two() -> None:
    x = floats(1.0, 1.25, 1.5, -3.0, 2.0**-140, 0.0)
    rounded = {
        mode: run("cast", x, to=DType.FLOAT8_E8M0FNU, round_mode=mode).astype(np.float64).tolist()
        for mode in ("up", "down", "nearest")
    }
    assert rounded["up"] == [1, 2, 2, 4, 2.0**-127, 2.0**-127]
    assert rounded["down"] == [1, 1, 1, 2, 2.0**-127, 2.0**-127]
    assert rounded["nearest"] == [1, 1, 2, 4, 2.0**-127, 2.0**-127]


def test_casts_beyond_the_greatest_power_of_two() -> None:
    x, to = floats(3e38, math.inf), DType.FLOAT8_E8M0FNU
    np.testing.assert_equal(run("cast", x, to=to).astype(np.float64), [2.0**127, math.nan])
    assert np.isnan(run("cast", x, to=to, saturate=False).astype(np.float64)).all()


def test_casts_keep_the_low_bits_of_integers() -> None:
    x = ints(7, 8, -9, 300)
    assert run("cast", x, to=DType.INT4).astype(int).tolist() == [7, -8, 7, -4]
    assert run("cast", x, to=DType.UINT4).astype(int).tolist() == [7, 8, 7, 12]
    assert run("cast", x, to=DType.INT8).tolist() == [7, 8, -9, 44]


def test_casts_of_strings() -> None:
    texts = np.array(["1.5", "-INF", "NaN", "1e-3"], object)
    np.testing.assert_equal(run("cast", texts, to=DType.FLOAT64), [1.5, -math.inf, math.nan, 1e-3])
    assert run("cast", floats(0.1, 3.0), to=DType.STRING).tolist() == ["0.1", "3.0"]
    with pytest.raises(ValueError, match="seven"):
        run("cast", np.array(["seven"], object), to=DType.INT64)


def test_range_counts_by_fractions() -> None:
    found = run(
        "range", floats(0.0).reshape(()), np.float32([1.0]).reshape(()), np.array(0.1, np.float32)
    )
    assert found.dtype == np.float32
    assert len(found) == 10


def test_writing_past_the_end_of_a_cache_is_refused() -> None:
    cache, update = np.ones((1, 3, 2), np.float32), np.zeros((1, 2, 2), np.float32)
    with pytest.raises(ValueError, match="2 elements at 2 in 3"):
        run("tensor_scatter", cache, update, ints(2))
