"""Damaged files end in a model that is well-formed or in an answer: soon, and in little memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx.backend.test.loader import load_model_tests

from adapters.onnx.tests.models import ADAPTER, FLOAT, INT64, model_of
from ir_hub.sdk.client import NamedBlob
from ir_hub.sdk.errors import AdapterError
from ir_hub.sdk.stages import load_model
from ir_hub.sdk.subject import InProcess

FILES = ("test_Conv2d_groups_thnn", "test_PixelShuffle")  # as an old PyTorch wrote them
SECONDS = 2.0  # of the processor, whatever else the machine is doing
MEMORY_BYTES = 500 << 20
ANSWERS = {"BAD_MODEL", "UNSUPPORTED"}
NUMBERS = [0, 1, 2, -1, 7, 100, 2**16, 2**31 - 1, 2**31, 2**40, 2**62, -(2**63), 2**63 - 1]
TEXTS = ["", "x", "0", "\0", "é", "../x", "Loop", "If", "Constant", "ai.onnx.ml", "a" * 5000]
FUZZ = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@cache
def contents() -> list[bytes]:
    """Files of PyTorch's, and a recurrent layer in a loop, as they are."""
    cases = [case for case in load_model_tests(kind="pytorch-converted") if case.name in FILES]
    real = [Path(case.model_dir, "model.onnx").read_bytes() for case in cases]
    assert len(real) == len(FILES)
    return [*real, recurrent()]


def recurrent() -> bytes:
    """A loop of an LSTM over its own output, as long as that stays small."""
    random = np.random.default_rng(0)
    sizes = {"w": (1, 12, 3), "r": (1, 12, 3), "b": (1, 24)}
    weights = {name: random.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    body = helper.make_graph(
        [
            helper.make_node("LSTM", ["h", "w", "r", "b"], ["all", "last"], hidden_size=3),
            helper.make_node("Squeeze", ["all", "one"], ["next"]),
            helper.make_node("ReduceMax", ["next"], ["most"], keepdims=0),
            helper.make_node("Less", ["most", "limit"], ["go"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", INT64, []),
            helper.make_tensor_value_info("before", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("h", FLOAT, [5, 2, 3]),
        ],
        [onnx.ValueInfoProto(name="go"), onnx.ValueInfoProto(name="next")],
    )
    weights |= {"limit": np.float32(0.9), "count": np.array(4), "one": np.array([1])}
    loop = helper.make_node("Loop", ["count", "", "x"], ["y"], body=body)
    return model_of([loop], {"x": [5, 2, 3]}, weights=weights).SerializeToString()


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """The adapter, in a process that can't get much more memory than it has."""
    subject = InProcess(ADAPTER, tmp_path_factory.mktemp("fuzz"))
    for content in contents():
        assert settled(subject, content)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    yield subject
    resource.setrlimit(resource.RLIMIT_AS, before)


def settled(subject: InProcess, content: bytes) -> bool:
    """Parses a file, and says whether it is a model; what isn't a whole one or an answer fails."""
    begun = time.process_time()
    file = NamedBlob("model.onnx", subject.store.put_bytes(content))
    refusal: AdapterError | None = None
    try:
        model = subject.parse([file], {})
    except AdapterError as error:
        refusal = error
    else:
        load_model(subject.store.open(model), subject.store)
    assert refusal is None or (refusal.reason in ANSWERS and str(refusal)), refusal
    assert time.process_time() - begun < SECONDS
    return refusal is None


@FUZZ
@given(st.data())
def test_other_bytes(subject: InProcess, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(contents())))
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(
        st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=6)
    ):
        content[place] = value
    settled(subject, bytes(content))


@FUZZ
@given(st.data())
def test_parts_cut_out_or_put_in(subject: InProcess, data: st.DataObject) -> None:
    content, other = (data.draw(st.sampled_from(contents())) for _ in range(2))
    start, end = sorted(data.draw(st.integers(0, len(content))) for _ in range(2))
    first, last = sorted(data.draw(st.integers(0, len(other))) for _ in range(2))
    part = data.draw(st.sampled_from([b"", other[first:last], content[start:end] * 3]))
    settled(subject, content[:start] + part + content[end:])


@FUZZ
@given(st.data())
def test_other_fields(subject: InProcess, data: st.DataObject) -> None:
    model = onnx.ModelProto.FromString(data.draw(st.sampled_from(contents())))
    for _ in range(data.draw(st.integers(1, 4))):
        change(data.draw(st.sampled_from(messages(model))), data)
    settled(subject, model.SerializeToString())


def messages(message: Message) -> list[Message]:
    """A message, and all in it that have something in them."""
    found, left = [], [message]
    while left:
        message = left.pop()
        found.append(message)
        for field, value in message.ListFields():
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                left += value if field.is_repeated else [value]
    return found[:1] + [each for each in found[1:] if each.ListFields()]


def change(message: Message, data: st.DataObject) -> None:
    """Changes a field of a message: removes it, says another value, or what another field says."""
    if not message.ListFields():
        return  # an earlier change emptied it
    field, value = data.draw(st.sampled_from(message.ListFields()))
    if field.is_repeated:
        items = list(value)
        place = data.draw(st.integers(0, len(items) - 1))
        item = items[place]
        changed = [_other(field, item, data)] if data.draw(st.booleans()) else [item, item]
        items[place : place + 1] = data.draw(st.sampled_from([[], changed]))
        _refill(value, items)
    elif field.type == FieldDescriptor.TYPE_MESSAGE or data.draw(st.booleans()):
        message.ClearField(field.name)
    else:
        setattr(message, field.name, _other(field, value, data))


def _other(field: FieldDescriptor, value: object, data: st.DataObject) -> object:
    """Another value of a field's type."""
    match value:
        case str():
            return data.draw(st.sampled_from(TEXTS))
        case bytes():
            return data.draw(st.binary(max_size=64))
        case bool():
            return not value
        case int() if field.enum_type is not None:
            return data.draw(st.sampled_from(sorted(field.enum_type.values_by_number)))
        case int() if field.type == FieldDescriptor.TYPE_INT64:
            return data.draw(st.sampled_from(NUMBERS))
        case int():
            return data.draw(st.sampled_from([n for n in NUMBERS if 0 <= n < 2**31]))
        case float():
            return data.draw(st.sampled_from([0.0, -1.0, float("nan"), float("inf"), 1e30]))
        case _:
            return value


def _refill(field: object, items: list[object]) -> None:
    copies = [type(item).FromString(item.SerializeToString()) if isinstance(item, Message) else item
              for item in items]  # fmt: skip
    del field[:]
    field.extend(copies)
