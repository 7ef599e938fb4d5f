"""The text of a symbolic size, read back by a small parser: nothing is ever evaluated as code."""

from __future__ import annotations

import re
from typing import NoReturn

from ir_hub.ir.dims_calls import apply
from ir_hub.ir.dims_expr import Dim, symbol

MAX_TEXT = 4096
MAX_NESTING = 64
MAX_DIGITS = 40

_TOKEN = re.compile(r"\s*(?:(\d+)|([A-Za-z_][A-Za-z0-9_.]*)|(//|\*\*|[-+*%(),])|(\S))", re.ASCII)
_FUNCTIONS = {  # also as torch.export spells them
    "min": "min", "max": "max", "Min": "min", "Max": "max", "FloorDiv": "//", "Mod": "%",
}  # fmt: skip


def parse_dim(text: str) -> Dim:
    """The size that `text` writes: integers, names, + - * // %, parentheses, min(), max().

    Max, Min, FloorDiv and Mod are read too. Raises ValueError with the position otherwise.
    """
    if len(text) > MAX_TEXT:
        raise ValueError(f"the text of a size has {len(text)} characters; at most {MAX_TEXT}")
    parser = _Parser(text)
    dim = parser.sum()
    parser.expect("")
    return dim


class _Parser:
    """Recursive descent, one method a level of binding; `_token` is the next one, "" at the end."""

    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._next = 0
        self._depth = 0
        self._token = ""
        self._advance()

    def sum(self) -> Dim:
        total = self._product()
        while self._token in ("+", "-"):
            sign = -1 if self._advance() == "-" else 1
            total = total + sign * self._product()
        return total

    def expect(self, token: str) -> None:
        if self._token != token:
            self._fail(f"expected {token!r}" if token else "expected the end")
        self._advance()

    def _product(self) -> Dim:
        value = self._signed()
        while self._token in ("*", "//", "%"):
            at, op = self._at, self._advance()
            right = self._signed()
            value = value * right if op == "*" else self._call(at, op, [value, right])
        return value

    def _signed(self) -> Dim:
        negative = False
        while self._token in ("+", "-"):
            negative ^= self._advance() == "-"
        value = self._primary()
        return -value if negative else value

    def _primary(self) -> Dim:
        at, token = self._at, self._token
        if token.isdigit():
            if len(token) > MAX_DIGITS:
                self._fail(f"a number of over {MAX_DIGITS} digits")
            return int(self._advance())
        if token == "(":
            return self._arguments(one=True)[0]
        if not token or not (token[0].isalpha() or token[0] == "_"):
            self._fail("expected a number, a name or '('")
        self._advance()
        if self._token != "(":
            return symbol(token)
        if token not in _FUNCTIONS:
            self._fail(f"unknown function {token} (known: {', '.join(_FUNCTIONS)})", at)
        return self._call(at, _FUNCTIONS[token], self._arguments())

    def _arguments(self, *, one: bool = False) -> list[Dim]:
        self._depth += 1
        if self._depth > MAX_NESTING:
            self._fail(f"parentheses nested over {MAX_NESTING} deep")
        self.expect("(")
        values = [self.sum()]
        while self._token == "," and not one:
            self._advance()
            values.append(self.sum())
        self.expect(")")
        self._depth -= 1
        return values

    def _call(self, at: int, op: str, args: list[Dim]) -> Dim:
        if op in ("//", "%") and len(args) != 2:
            self._fail(f"{op} takes two sizes, not {len(args)}", at)
        try:
            return apply(op, args)
        except ZeroDivisionError:
            self._fail("division by zero", at)

    def _advance(self) -> str:
        """Move to the next token; returns the one left behind."""
        left = self._token
        match = _TOKEN.match(self._text, self._next)
        self._token = match.group().strip() if match else ""
        self._at = self._next + len(match.group()) - len(self._token) if match else self._next
        self._next = match.end() if match else self._next
        if match and (match.group(4) or self._token == "**"):
            self._fail(f"{self._token!r} isn't in the grammar of sizes (+ - * // % min max)")
        return left

    def _fail(self, problem: str, at: int | None = None) -> NoReturn:
        position = self._at if at is None else at
        found = f", found {self._token!r}" if problem.startswith("expected") else ""
        raise ValueError(
            f"cannot read the size {self._text[:200]!r}: at position {position}, {problem}{found}"
        )
