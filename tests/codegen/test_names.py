"""Text from a model becomes a name only by way of a few functions, which nothing gets past."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ir_hub.codegen.names import CALLED, LONGEST, attribute, class_name, identifier, unique

HOSTILE = [
    'x"); import os #', "x'); import os #", "a\nb", "a\\", "{0}", "%s", "__class__", "..", "",
    "é", "ﬁ", "ª", "x\u202ey", "x\x00y", "٣", "class", "None", "self", "torch", "print", "1st",
    "a" * 500, "_", "__", "\ud800", "lambda:0", "x=1", "\u2167", "\U0001d431",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("make", [identifier, attribute, class_name])
def test_hostile_texts(make: Callable[..., str], text: str) -> None:
    _is_harmless(make(text))


@given(st.text())
def test_any_text(text: str) -> None:
    for make in (identifier, attribute, class_name):
        _is_harmless(make(text))
    assert identifier(text) not in CALLED
    assert attribute(text, reserved={"run", "x"}) not in ("run", "x")


@given(st.text(), st.sets(st.text("ab12_", min_size=1)))
def test_a_new_name_is_new(text: str, taken: set[str]) -> None:
    name = unique(identifier(text), taken)
    assert name not in taken
    _is_harmless(name)


def _is_harmless(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name), name
    assert name.isidentifier()
    assert not keyword.iskeyword(name)
    assert len(name) <= LONGEST + 10


@pytest.mark.parametrize(
    ("make", "text", "name"),
    [
        (identifier, "Input.1", "input_1"),
        (identifier, "0", "value_0"),
        (identifier, "math", "math_"),
        (attribute, "downSample", "downSample"),
        (attribute, "0", "module0"),
        (attribute, "in", "in_"),
        (class_name, "torchvision.models.resnet.Bottleneck", "Bottleneck"),
        (class_name, "my_block", "MyBlock"),
        (class_name, "none", "None_"),
        (class_name, "2d", "Block"),
    ],
)
def test_names(make: Callable[..., str], text: str, name: str) -> None:
    assert make(text) == name


def test_numbers_make_names_new() -> None:
    assert unique("conv", []) == "conv"
    assert unique("conv", ["conv", "conv2"]) == "conv3"
    assert unique("conv1", ["conv1"]) == "conv1_2"
