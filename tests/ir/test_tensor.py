"""Constants: one representation in bytes for every element type, permuted without moving."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ir_hub.ir.tensor import (
    ArrayTensor,
    Blob,
    BlobTensor,
    Tensor,
    byte_size,
    byte_view,
    decode,
    encode,
    least_byte_size,
    reshaped,
)
from ir_hub.ir.types import DType

NUMBERS = [dtype for dtype in DType if dtype is not DType.STRING]
PACKED = [dtype for dtype in NUMBERS if dtype.bits < 8]
SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)


def elements(dtype: DType, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Any bit patterns of the type; bools are 0 and 1 only."""
    random = np.random.default_rng(seed)
    if dtype is DType.STRING:
        words = ["", "a", "né", "日本", "two words", "nul\0"]
        array = np.empty(shape, object)
        array.reshape(-1)[:] = [words[i] for i in random.integers(0, len(words), array.size)]
        return array
    top = 2 if dtype is DType.BOOL else 256
    data = random.integers(0, top, byte_size(dtype, shape), np.uint8)
    return decode(data.tobytes(), dtype, shape)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal bit by bit, so that NaN equals itself."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return a.tolist() == b.tolist() if a.dtype == object else a.tobytes() == b.tobytes()


@pytest.mark.parametrize("dtype", DType)
@given(shape=SHAPES, seed=st.integers(0, 2**16), offset=st.integers(0, 9))
def test_decode_reads_what_encode_wrote(
    dtype: DType, shape: tuple[int, ...], seed: int, offset: int
) -> None:
    array = elements(dtype, shape, seed)
    content = encode(array)
    if dtype is not DType.STRING:
        assert len(content) == byte_size(dtype, shape)
    assert len(content) >= least_byte_size(dtype, shape)
    assert same(decode(b"x" * offset + content, dtype, shape, offset), array)


@pytest.mark.parametrize(
    ("dtype", "values", "content"),
    [
        (DType.INT4, [-8, 7, -1], b"\x78\x0f"),
        (DType.UINT4, [1, 15, 2, 3], b"\xf1\x32"),
        (DType.INT2, [-2, -1, 0, 1, 1], b"\x4e\x01"),
        (DType.UINT2, [3, 2, 1, 0], b"\x1b"),
        (DType.FLOAT4_E2M1FN, [1.0, -6.0, 0.5], b"\xf2\x01"),
        (DType.BFLOAT16, [1.0, -2.0], b"\x80\x3f\x00\xc0"),
        (DType.FLOAT8_E5M2, [1.0, -2.0], b"\x3c\xc0"),
        (DType.BOOL, [True, False], b"\x01\x00"),
        (DType.INT32, [1, -2], b"\x01\0\0\0\xfe\xff\xff\xff"),
    ],
)
def test_the_bytes_are_those_of_the_contract(
    dtype: DType, values: list[float], content: bytes
) -> None:
    array = np.array(values).astype(dtype.numpy)
    assert encode(array) == content
    assert same(decode(content, dtype, (len(values),)), array)


def test_strings_are_end_offsets_and_text() -> None:
    content = np.array([1, 1, 4], "<i8").tobytes() + "aé!".encode()
    assert encode(np.array(["a", "", "é!"])) == content
    assert encode(np.array([b"a", b"", "é!".encode()], object)) == content
    assert decode(content, DType.STRING, (3,)).tolist() == ["a", "", "é!"]


@pytest.mark.parametrize("made", [encode, ArrayTensor])
def test_what_is_no_text_is_not_taken_for_one(made: Callable[[np.ndarray], object]) -> None:
    with pytest.raises(TypeError, match="3 is in a tensor of strings, but is no text"):
        made(np.array(["a", 3], object))


def test_other_byte_orders_are_written_little_endian() -> None:
    array = np.array([1.5, -2.0], ">f4")
    assert DType.of(array.dtype) is DType.FLOAT32
    assert encode(array) == array.astype("<f4").tobytes()


def test_a_type_without_element_type_is_refused() -> None:
    with pytest.raises(TypeError, match="tensors of datetime64"):
        encode(np.array(["2026-01-01"], "datetime64[D]"))


def test_bytes_of_a_contiguous_array_are_not_copied() -> None:
    array = np.arange(6, dtype=np.float32)
    view = byte_view(array.reshape(2, 3))
    array[0] = 7
    assert bytes(view) == array.tobytes()


@pytest.mark.parametrize(
    ("content", "dtype", "shape", "offset", "message"),
    [
        (b"1234567", DType.FLOAT32, (2,), 0, "8 bytes at offset 0 does not fit a blob of 7"),
        (b"12345678", DType.FLOAT32, (2,), 1, "8 bytes at offset 1 does not fit"),
        (b"12345678", DType.FLOAT32, (1,), -4, "at offset -4 does not fit"),
        (b"1", DType.INT4, (3,), 0, "2 bytes at offset 0 does not fit"),
        (b"\x01\x02", DType.BOOL, (2,), 0, "a bool .* is neither 0 nor 1"),
        (b"1234567", DType.STRING, (1,), 0, "8 bytes at offset 0 does not fit"),
        (b"\x02" + bytes(7) + b"a", DType.STRING, (1,), 0, "out of order or out of range"),
        (b"\x01" + bytes(15) + b"a", DType.STRING, (2,), 0, "out of order or out of range"),
        (b"\x01" + bytes(7) + b"\xff", DType.STRING, (1,), 0, "invalid start byte"),
    ],
)
def test_malformed_bytes_are_refused(
    content: bytes, dtype: DType, shape: tuple[int, ...], offset: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        decode(content, dtype, shape, offset)


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT4, DType.STRING])
@given(axes=st.permutations(range(3)), again=st.permutations(range(3)), seed=st.integers(0, 99))
def test_permuting_is_transposing(
    dtype: DType, axes: list[int], again: list[int], seed: int
) -> None:
    array = elements(dtype, (2, 3, 4), seed)
    content = encode(array)
    blob = Blob("0" * 64, len(content))
    stored = BlobTensor(blob, 0, dtype, (2, 3, 4), lambda _: memoryview(content))
    expected = array.transpose(axes).transpose(again)
    for tensor in (stored, ArrayTensor(array)):
        permuted = tensor.permuted(axes).permuted(again)
        assert permuted.shape == expected.shape
        assert permuted.dtype is dtype
        assert same(permuted.numpy(), expected)


def test_permuting_back_is_as_it_was() -> None:
    tensor = BlobTensor(Blob("0" * 64, 24), 0, DType.FLOAT32, (2, 3), lambda _: memoryview(b""))
    assert tensor.permuted((1, 0)).permutation == (1, 0)
    assert tensor.permuted((1, 0)).permuted((1, 0)).permutation == ()


def in_blob(array: np.ndarray) -> BlobTensor:
    content = encode(array)
    return BlobTensor(
        Blob("0" * 64, len(content)),
        0,
        DType.of(array.dtype),
        array.shape,
        lambda _: memoryview(content),
    )


@pytest.mark.parametrize("made", [ArrayTensor, in_blob, lambda a: reshaped(in_blob(a), a.shape)])
@given(data=st.data())
def test_axes_of_size_one_come_and_go_without_moving_bytes(
    made: Callable[[np.ndarray], Tensor], data: st.DataObject
) -> None:
    array = elements(DType.INT32, data.draw(SHAPES), 3)
    tensor = made(array)
    for _ in range(3):
        rank = len(tensor.shape)
        kept = [axis for axis in range(rank) if tensor.shape[axis] != 1]
        axes = data.draw(st.permutations([*kept, None]))
        tensor = tensor.with_axes(axes)
        named = [axis for axis in axes if axis is not None]
        gone = tuple(axis for axis in range(rank) if axis not in named)
        array = array.squeeze(gone).transpose([sorted(named).index(axis) for axis in named])
        array = np.expand_dims(array, axes.index(None))
        assert tensor.shape == array.shape
        assert same(tensor.numpy(), array)
        order = data.draw(st.permutations(range(array.ndim)))
        assert same(tensor.permuted(order).numpy(), array.transpose(order))


@pytest.mark.parametrize("made", [ArrayTensor, in_blob])
def test_only_axes_of_size_one_may_go(made: Callable[[np.ndarray], Tensor]) -> None:
    with pytest.raises(ValueError, match=r"leave out axes of the sizes \[3\]"):
        made(np.zeros((2, 3))).with_axes((0, None))


def test_a_reshaped_tensor_is_read_when_it_is_asked_for() -> None:
    array = np.arange(24, dtype=np.int32).reshape(4, 6)
    tensor = reshaped(in_blob(array), (4, 2, 3)).permuted((0, 2, 1))
    assert (tensor.dtype, tensor.shape) == (DType.INT32, (4, 3, 2))
    turned = array.reshape(4, 2, 3).transpose(0, 2, 1)
    assert same(tensor.numpy(), turned)
    assert same(reshaped(tensor, (12, 2)).numpy(), turned.reshape(12, 2))
