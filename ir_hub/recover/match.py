"""Finds what the left side of a rule stands for in a graph."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ir_hub.ir.dims import Expr
from ir_hub.ir.graph import Node, Value, constant
from ir_hub.ir.types import DType
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Kind
from ir_hub.recover.algebra import PRODUCTS, SUMS, Algebra
from ir_hub.recover.cover import Cover
from ir_hub.recover.domains import (
    ANY,
    AxesOf,
    AxisOf,
    Bound,
    Number,
    Tensor,
    fit_size,
    sizes_hold,
)
from ir_hub.recover.forms import Forms, is_product, is_sum
from ir_hub.recover.literals import literal_of, normal
from ir_hub.recover.pattern import Call, Rule, Var

COMMUTATIVE = frozenset(
    {"minimum", "maximum", "equal", "not_equal", "logical_and", "logical_or", "logical_xor"}
)
MIRRORED = {  # comparisons that are each other with their operands exchanged
    "greater": "less",
    "less": "greater",
    "greater_equal": "less_equal",
    "less_equal": "greater_equal",
}
_PRECISION = {DType.FLOAT16: 1e-3, DType.BFLOAT16: 8e-3}


class Matcher:
    """Matches one rule. Every way to match is yielded, as what the parameters, the names of sizes
    and the calls of the left side are bound to.

    With `explain`, `miss` says how far the best attempt came, and what stopped it.
    """

    def __init__(self, rule: Rule, explain: bool = False) -> None:
        self.rule = rule
        self.explain = explain
        self.miss: tuple[int, str] = (0, "")
        self._forms = Forms(rule.left)
        self._tolerance = 1e-6

    def matches(self, root: Value, algebra: Algebra) -> Iterator[Bound]:
        """Every way in which the left side is `root`."""
        self.miss = (0, "")
        if self.rule.has_numbers and (root.dtype is None or not root.dtype.is_float):
            return
        self._root = root
        self._algebra, self._index = algebra, algebra.index
        self._tolerance = _PRECISION.get(root.dtype, 1e-6) if root.dtype else 1e-6
        yield from filter(sizes_hold, self.match(self.rule.left, root, {}))

    def match(self, p: Any, v: Value, s: Bound) -> Iterator[Bound]:
        """Every way in which a pattern is a value, given what is bound."""
        if isinstance(p, Var):
            yield from self._bind(p, v, s)
        elif not isinstance(p, Call):
            number = self._algebra.number(v)
            if number is not None and self.close(p, number):
                yield s
            elif self.explain:
                self.missed(s, f"{v!r} is {number}, not {p}")
        elif s.get(p) is v:
            yield s
        else:
            flattened = is_sum(p) or is_product(p)
            s = {**s, p: v}
            yield from self.scaled(p, v, 1, s) if flattened else self._call(p, v, s)

    def _bind(self, p: Var, v: Value, s: Bound) -> Iterator[Bound]:
        domain = p.domain
        if isinstance(domain, Number):
            number = self._algebra.number(v)
            if number is not None and domain.low <= number <= domain.high:
                yield from self.bind_literal(p, number, s)
            elif self.explain:
                self.missed(s, f"{v!r}, of {number}, is not what {p} stands for")
            return
        if p in s:
            if s[p] is v or (v.is_constant and s.get((p, "as it was")) is v):
                yield s
            elif self.explain:
                self.missed(s, f"{p} is {s[p]!r}, and cannot be {v!r} too")
            return
        fitted = self._fit(p, domain, v, s) if isinstance(domain, Tensor) else None
        if fitted is not None:
            yield fitted
        elif self.explain:
            self.missed(s, f"{v!r} is not what {p} stands for")

    def _fit(self, p: Var, domain: Tensor, v: Value, s: Bound) -> Bound | None:
        if v is self._root or (domain.constant and not v.is_constant):
            return None
        if v.shape is None:
            return {**s, p: v} if domain.is_any else None
        bound = domain.fits(v.shape, s)
        if bound is not None:
            return {**bound, p: v}
        rank = len(domain.before) + len(domain.after or ())
        extra = len(v.shape) - rank
        if v.data is None or domain.after is not None or extra <= 0 or set(v.shape[:extra]) != {1}:
            return None
        bound = domain.fits(v.shape[extra:], s)
        if bound is None:
            return None
        plain = constant(v.array().reshape(v.array().shape[extra:]), v.name)
        return {**bound, p: plain, (p, "as it was"): v}

    def _call(self, p: Call, v: Value, s: Bound) -> Iterator[Bound]:
        node = self._index.producer(v)
        mirrored = node is not None and MIRRORED.get(node.op) == p.op
        if node is None or v is not node.results[0] or (node.op != p.op and not mirrored):
            if self.explain:
                self.missed(s, f"{v!r} is {node.op if node else 'given'}, not {p.op}")
            return
        bound = self._literals(p, node, s)
        if bound is None:
            return
        names = [name for name, param in OPS[p.op].params.items() if param.kind is Kind.TENSOR]
        pairs = [(p.args[name], node.args.get(name)) for name in names]
        if not mirrored:
            yield from self._operands(pairs, bound)
        if mirrored or p.op in COMMUTATIVE:
            (a, x), (b, y) = pairs
            yield from self._operands([(a, y), (b, x)], bound)

    def _literals(self, p: Call, node: Node, s: Bound) -> Bound | None:
        """What is bound once the node has the literals of the pattern."""
        for name, param in OPS[p.op].params.items():
            if param.kind is Kind.TENSOR:
                continue
            want, have = normal(node, name, p.args[name]), literal_of(node, name)
            bound = self._literal(want, have, s)
            if bound is None:
                if self.explain:
                    self.missed(s, f"{name} of {p.op} is {have}, not {want}")
                return None
            s = bound
        return s

    def _operands(self, pairs: list[tuple[Any, Any]], s: Bound) -> Iterator[Bound]:
        if not pairs:
            yield s
            return
        want, have = pairs[0]
        if want is None or have is None:
            if want is have:
                yield from self._operands(pairs[1:], s)
            return
        for bound in self.match(want, have, s):
            yield from self._operands(pairs[1:], bound)

    def _literal(self, want: Any, have: Any, s: Bound) -> Bound | None:
        if isinstance(want, Var):
            return next(self.bind_literal(want, have, s), None)
        if isinstance(want, Expr) or want == ANY:
            return fit_size(want, have, s) if isinstance(have, int | Expr) else None
        if isinstance(want, tuple):
            if not isinstance(have, tuple) or len(want) != len(have):
                return None
            bound: Bound | None = s
            for a, b in zip(want, have, strict=True):
                bound = None if bound is None else self._literal(a, b, bound)
            return bound
        if isinstance(want, float) and isinstance(have, int | float):
            return s if self.close(want, have) else None
        return s if type(want) is type(have) and want == have else None

    def bind_literal(self, p: Var, have: Any, s: Bound) -> Iterator[Bound]:
        """Binds a parameter to a literal, if its domain has it and it isn't another already."""
        domain = p.domain
        if isinstance(domain, Number):
            fits = isinstance(have, int | float) and domain.low <= have <= domain.high
        else:
            axes = have if isinstance(domain, AxesOf) else (have,)
            fits = isinstance(domain, AxisOf | AxesOf) and isinstance(axes, tuple)
            fits = fits and all(isinstance(axis, int) and axis >= 0 for axis in axes)
        same = s.get(p, have) == have or (not isinstance(have, tuple) and self.close(s[p], have))
        if fits and same:
            yield s if p in s else {**s, p: have}

    def scaled(self, p: Any, v: Value, scale: int, s: Bound) -> Iterator[Bound]:
        """Matches `scale * v`, where either may be spelled as any sum or product."""
        sums = is_sum(p)
        node = self._index.producer(v)
        wanted = SUMS if sums else PRODUCTS if scale == 1 else frozenset()
        if (sums and scale != 1) or (wanted and (node is None or node.op not in wanted)):
            if self.explain:
                self.missed(s, f"{v!r} is {node.op if node else 'given'}, not a {p.op}")
            return
        flat = self._algebra.sum(v) if sums else self._algebra.product(v)
        number = flat.number if sums else flat.number * scale
        for form in self._forms.sums(p) if sums else self._forms.products(p):
            hidden = sums and not PRODUCTS.isdisjoint(flat.ops)  # a call may be below a minus
            if self.explain or hidden or form.ops <= flat.ops:
                partial = self.rule.partial and p is self.rule.left
                cover = Cover(self, form, flat, sums, partial, self._root)
                yield from cover.match(form.items, flat.items, number, s)

    def close(self, a: float, b: float) -> bool:
        """Whether two numbers are the same but for rounding."""
        return math.isclose(a, b, rel_tol=self._tolerance, abs_tol=0.0)

    def missed(self, s: Bound, reason: str) -> None:
        """Notes why an attempt went no further, if it came further than those before."""
        progress = sum(isinstance(key, Var | Call) for key in s)
        if self.explain and progress > self.miss[0]:
            self.miss = progress, reason
