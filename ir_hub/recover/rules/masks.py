"""The masks of attention, as sources work them out."""

from __future__ import annotations

import math

import numpy as np

from ir_hub.ir.dims import provably_equal
from ir_hub.ir.graph import Node, Value
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.rewrite import Instead, rewrite

_NOTHING_LEFT = float(np.finfo(np.float32).min)
_VIEWS = frozenset({"reshape", "flatten", "squeeze", "unsqueeze", "expand", "identity"})


@rewrite("attention")
def causal_mask(node: Node, index: Index, make: Maker) -> Instead:
    """A constant mask may be the causal one."""
    if node.mask is None or node.causal or not _is_causal(node.mask):
        return None
    return make.append("attention", {**node.args, "mask": None, "causal": True}).result


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


def _is_causal(mask: Value) -> bool:
    """Whether a constant lets each query attend to the keys up to its own place."""
    if mask.data is None or len(mask.data.shape) < 2 or set(mask.data.shape[:-2]) - {1}:
        return False
    allowed = np.tri(*mask.data.shape[-2:], dtype=np.bool_)
    array = mask.array().reshape(allowed.shape)
    if array.dtype == np.bool_:
        return bool((array == allowed).all())
    # What is added to the scores of later keys must leave nothing of any score.
    return bool((array[allowed] == 0).all() and (array[~allowed] <= _NOTHING_LEFT).all())
