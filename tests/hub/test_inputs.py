"""The sizes and values that models are compared with are ones that they can take."""

from __future__ import annotations

import numpy as np
import pytest

from ir_hub.hub.inputs import draw
from ir_hub.hub.sizes import trials
from ir_hub.ir.dims import Dim, Symbol, symbol
from ir_hub.ir.graph import Constraint, Model
from ir_hub.ir.types import DType
from ir_hub.ops import catalogue  # noqa: F401 (it fills the table that the builder reads)
from ir_hub.ops.build import Builder
from ir_hub.sdk.errors import BadRequest


def model_of(*shapes: tuple[Dim, ...], **said: object) -> Model:
    b = Builder()
    for index, shape in enumerate(shapes):
        b.input(f"x{index}", shape=shape)
    return Model(b.graph, **said)


N, H, W = symbol("N"), symbol("H"), symbol("W")


def test_known_sizes_are_run_once() -> None:
    model = model_of((1, 3))
    assert trials(model, [], {}) == [{}]
    assert trials(model, [{}], {}) == []


def test_second_run_has_other_sizes_first_all_then_one_at_a_time() -> None:
    model = model_of((N, 3, H, W))
    (first, *_) = trials(model, [], {})
    second = trials(model, [first], {})
    assert first not in second
    assert all(second[0][name] != first[name] for name in "NHW")
    assert {tuple(n for n in "NHW" if s[n] != first[n]) for s in second} >= {("N",), ("H",), ("W",)}


def test_fixed_sizes_are_kept_and_the_others_vary() -> None:
    model, fixed = model_of((N, 3, H, W)), {"H": 224, "W": 199}
    (first, *_) = trials(model, [], fixed)
    second = trials(model, [first], fixed)
    assert all({**sizes, **fixed} == sizes for sizes in (first, *second))
    assert second[0]["N"] != first["N"]
    assert trials(model_of((H, W)), [fixed], fixed) == []


def test_what_follows_from_a_fixed_size_follows() -> None:
    model = model_of((N, 4), (H, 4), constraints=[Constraint(2 * N, H, "add")])
    assert {s["H"] for s in trials(model, [], {"N": 5})} == {10}
    assert trials(model, [], {"N": 5, "H": 11}) == []


def test_height_and_width_differ_at_first() -> None:
    (first, *_) = trials(model_of((N, 3, H, W)), [], {})
    assert first["H"] != first["W"]


@pytest.mark.parametrize(
    "known",
    [Symbol("H", 1, 40), Symbol("H", 500), Symbol("H", 7, 7), Symbol("H", 0, None, 48)],
)
def test_symbols_keep_their_promises(known: Symbol) -> None:
    found = trials(model_of((N, 3, H, W), symbols={"H": known}), [], {})
    assert found
    low, high = known.interval
    assert all(low <= s["H"] <= high and s["H"] % known.multiple_of == 0 for s in found)


def test_constraints_are_kept() -> None:
    model = model_of((N, 4), (H, 4), constraints=[Constraint(2 * N, H, "add")])
    found = trials(model, [], {})
    assert found
    assert all(sizes["H"] == 2 * sizes["N"] for sizes in found)


def test_sizes_are_never_negative() -> None:
    assert all(sizes["N"] >= 6 for sizes in trials(model_of((N - 6, N)), [], {}))


def test_arrays_have_the_sizes() -> None:
    arrays = draw(model_of((N, 2 * H)), {"N": 3, "H": 5}, 0)
    assert arrays["x0"].shape == (3, 10)
    assert arrays["x0"].dtype == np.float32
    assert arrays["x0"].std() > 0.5


def test_drawn_again_they_are_the_same_and_in_another_run_others() -> None:
    model = model_of((4, 4), (4, 4))
    one, again, other = (draw(model, {}, run) for run in (0, 0, 1))
    assert np.array_equal(one["x0"], again["x0"])
    assert not np.array_equal(one["x0"], other["x0"])
    assert not np.array_equal(one["x0"], one["x1"])


def test_indices_stay_within_every_table() -> None:
    b = Builder()
    ids = b.input("ids", DType.INT32, (64, 64))
    wide = b.cast(b.reshape(ids, (4096,)), to=DType.INT64)
    large, small = (b.constant(np.ones((n, 2), np.float32)) for n in (50, 11))
    b.graph.outputs = [b.embedding(wide, large), b.gather(small, wide, axis=0)]
    found = draw(Model(b.graph), {}, 0)["ids"]
    assert set(found.reshape(-1).tolist()) == set(range(11))


def test_indices_into_an_open_axis() -> None:
    b = Builder()
    x, ids = b.input("x", shape=(3, N)), b.input("ids", DType.INT64, (200, 1, 1))
    b.graph.outputs = [b.gather(x, ids, axis=-1)]
    assert draw(Model(b.graph), {"N": 5}, 0)["ids"].max() == 4


def test_what_is_made_one_hot_stays_within_its_range() -> None:
    b = Builder()
    ids = b.input("ids", DType.INT32, (40, 64))
    numbers = b.constant(np.arange(11, dtype=np.int32))
    b.graph.outputs = [b.equal(numbers, b.unsqueeze(ids, (2,)))]
    assert set(draw(Model(b.graph), {}, 0)["ids"].reshape(-1).tolist()) == set(range(11))


def test_a_model_goes_one_of_its_ways() -> None:
    b = Builder()
    rate, ids = b.input("rate", DType.INT64, ()), b.input("ids", DType.INT64, (3,))
    known = [b.constant(np.array(number, np.int64)) for number in (16000, 8000)]
    b.graph.outputs = [*(b.equal(rate, number) for number in known), b.equal(ids, known[0])]
    drawn = [draw(Model(b.graph), {}, run) for run in range(9)]
    assert {int(arrays["rate"]) for arrays in drawn} == {16000, 8000}
    assert not any(16000 in arrays["ids"] for arrays in drawn)


def test_masks_are_masks() -> None:
    b = Builder()
    b.input("attention_mask", DType.INT64, (2, 9))
    assert draw(Model(b.graph), {}, 0)["attention_mask"].tolist() == [
        [1] * 9,
        [1] * 6 + [0] * 3,
    ]


@pytest.mark.parametrize("dtype", list(DType))
def test_every_type_can_be_drawn(dtype: DType) -> None:
    b = Builder()
    b.input("x", dtype, (3, 4))
    array = draw(Model(b.graph), {}, 0)["x"]
    assert DType.of(array.dtype) is dtype


def test_unknown_rank_is_refused_with_what_to_do() -> None:
    b = Builder()
    b.input("x")
    with pytest.raises(BadRequest, match="--input") as caught:
        draw(Model(b.graph), {}, 0)
    assert [problem.subject for problem in caught.value.problems] == ["x"]
