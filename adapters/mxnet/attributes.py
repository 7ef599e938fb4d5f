"""Attributes of MXNet's ops, which files hold as texts, as the values that they stand for."""

from __future__ import annotations

import re

from ir_hub.ir.types import DType
from ir_hub.sdk.dialect import Unsupported

_ITEM = re.compile(r"\s*([-+]?\d+|None)[Ll]?\s*")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|inf|nan)")
_LONGEST = 1000  # characters of a text that stands for a value


def integer(text: str, what: str) -> int:
    """ "3" as 3; also "3.0" and "3L", which older versions wrote."""
    found = re.fullmatch(r"([-+]?\d{1,18})(L|\.0*)?", text.strip())
    if not found:
        raise Unsupported(f"{what}={text!r} is no whole number")
    return int(found[1])


def number(text: str, what: str) -> float:
    """A number in any of the ways that C++ and Python write one."""
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text.strip()):
        raise Unsupported(f"{what}={text!r} is no number")
    return float(text)


def boolean(text: str, what: str) -> bool:
    """ "True", "true", "1" and their opposites."""
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.strip().lower() not in known:
        raise Unsupported(f"{what}={text!r} is neither true nor false")
    return known[text.strip().lower()]


def integers(text: str, what: str) -> tuple[int | None, ...]:
    """ "(1, 2)", "[1,2]", "(1,)" or "1" as a tuple; items may be None."""
    found = [_ITEM.fullmatch(item) for item in _items(text, what)]
    if not all(found):
        raise Unsupported(f"{what}={text[:100]!r} is no tuple of whole numbers")
    return tuple(None if m[1] == "None" else int(m[1]) for m in found if m)


def numbers(text: str, what: str) -> tuple[float, ...]:
    """ "(0.5, 1)" as a tuple."""
    return tuple(number(item, what) for item in _items(text, what))


def _items(text: str, what: str) -> list[str]:
    inner = text.strip()
    if len(text) > _LONGEST:
        raise Unsupported(f"{what}={text[:100]!r} is too long")
    if inner[:1] in ("(", "["):
        if inner[-1:] != {"(": ")", "[": "]"}[inner[0]]:
            raise Unsupported(f"{what}={text!r} is no tuple")
        inner = inner[1:-1]
    inner = inner.strip().removesuffix(",")
    return inner.split(",") if inner else []


def dtype(text: str, what: str) -> DType:
    """ "float32" or the name of another element type."""
    try:
        return DType(text)
    except ValueError:
        raise Unsupported(f"{what}={text!r} is no element type") from None
