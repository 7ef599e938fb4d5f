"""The masks of attention, as sources work them out."""

from __future__ import annotations

import math

import numpy as np

from ir_hub.ir.dims import provably_equal
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.ops.catalogue import OPS
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.rewrite import Instead, rewrite, same_type
from ir_hub.recover.rules.truth import truth_of
from ir_hub.recover.triangle import halves_of

_NOTHING_LEFT = float(np.finfo(np.float32).min)
_ANY = frozenset(OPS)  # what works a mask out may stay for others
_VIEWS = frozenset({"reshape", "flatten", "squeeze", "unsqueeze", "expand", "identity"})


@rewrite("attention", free=_ANY)
def causal_mask(node: Node, index: Index, make: Maker) -> Instead:
    """A mask may be the causal one."""
    mask = node.mask
    if mask is None or node.causal or mask.shape is None or set(mask.shape[:-2]) - {1}:
        return None
    lengths = [value.shape[-2] for value in (node.q, node.k) if value.shape is not None]
    if len(lengths) != 2 or len(mask.shape) < 2:
        return None
    if not all(map(provably_equal, mask.shape[-2:], lengths)):  # it is repeated
        return None
    halves = halves_of(mask, index)
    if halves is None:
        return None
    seen, unseen = halves
    # What is added to the scores of later keys must leave nothing of any score.
    added = seen == 0 and unseen <= _NOTHING_LEFT
    if not (seen and not unseen if mask.dtype is DType.BOOL else added):
        return None
    return make.append("attention", {**node.args, "mask": None, "causal": True}).result


@rewrite("attention", free=_ANY)
def mask_of_nothing(node: Node, index: Index, make: Maker) -> Instead:
    """A mask that is true everywhere, or 0, is none."""
    mask = node.mask
    if mask is None or not (truth_of(mask, index) or _is_zero(mask)):
        return None
    return make.append("attention", {**node.args, "mask": None}).result


@rewrite("softmax")
def filled_scores(node: Node, index: Index, make: Maker) -> Instead:
    """Scores with -infinity put in their place are scores that it is added to."""
    chosen = index.producer(node.x)
    if chosen is None or chosen.op != "where":
        return None
    hidden = [value.scalar == -math.inf for value in (chosen.x, chosen.y)]
    if sum(hidden) != 1:
        return None
    scores = chosen.y if hidden[0] else chosen.x
    if not same_type(scores.type, node.x.type) or not _is_product(scores, index):
        return None
    numbers = (make.constant(-math.inf if at else 0.0, node.x.dtype) for at in hidden)
    mask = make.where(chosen.condition, *numbers)
    return make.softmax(make.add(scores, mask), axis=node.axis)


def _is_product(scores: Value, index: Index) -> bool:
    """Whether scores are a product of matrices, perhaps times a number."""
    node = index.producer(scores)
    if node is not None and node.op in ("mul", "div"):
        node = index.producer(node.x)
    return node is not None and node.op == "matmul"


def _is_zero(value: Value) -> bool:
    return value.is_constant and value.dtype is not DType.BOOL and not value.array().any()


@rewrite("attention")
def expanded_mask(node: Node, index: Index, make: Maker) -> Instead:
    """A mask is expanded to the scores by attention itself."""
    expand = index.producer(node.mask) if node.mask is not None else None
    if expand is None or expand.op != "expand" or expand.result.shape is None:
        return None
    if node.q.shape is None or node.k.shape is None:
        return None
    scores = (*node.q.shape[:-1], node.k.shape[-2])
    wanted = expand.result.shape
    if len(wanted) > len(scores):
        return None
    aligned = zip(wanted[::-1], scores[::-1], strict=False)
    if not all(size == 1 or provably_equal(size, other) for size, other in aligned):
        return None
    return make.append("attention", {**node.args, "mask": expand.x}).result


@rewrite("attention", free={"where"})
def chosen_mask(node: Node, index: Index, make: Maker) -> Instead:
    """A mask of 0 and -infinity is one of booleans, which says what is attended to."""
    if node.mask is None or node.causal:
        return None
    views: list[Node] = []
    chosen = index.producer(node.mask)
    while chosen is not None and chosen.op in _VIEWS:
        views.append(chosen)
        chosen = index.producer(chosen.x)
    if chosen is None or chosen.op != "where":
        return None
    numbers = (chosen.x.scalar, chosen.y.scalar)
    mask = chosen.condition
    if numbers == (-math.inf, 0):
        mask = make.logical_not(mask)
    elif numbers != (0, -math.inf):
        return None
    if views and (mask.shape is None or mask.shape != chosen.result.shape):
        return None
    for view in reversed(views):
        mask = make.append(view.op, {**view.args, "x": mask}).result
    return make.append("attention", {**node.args, "mask": mask}).result
