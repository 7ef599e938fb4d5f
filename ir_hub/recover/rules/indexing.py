"""Taking one item along an axis."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.graph import Node
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.rewrite import Instead, rewrite


@rewrite("squeeze")
def one_item(node: Node, index: Index, make: Maker) -> Instead:
    """squeeze(x[i:i+1]) is x[i]."""
    cut = index.producer(node.x)
    if cut is None or cut.op != "slice" or node.x.shape is None:
        return None
    if not all(isinstance(bounds, tuple) for bounds in (cut.starts, cut.ends, node.axes)):
        return None
    rank = len(node.x.shape)
    axes = cut.axes or tuple(range(len(cut.starts)))
    (start, *others), (end, *_) = cut.starts, cut.ends
    if others or (axes[0] - node.axes[0]) % rank or len(node.axes) != 1:
        return None
    whole = isinstance(start, int) and isinstance(end, int)
    if not whole or end - start != 1 or start < 0 or node.x.shape[axes[0] % rank] != 1:
        return None
    return make.gather(cut.x, make.constant(np.int64(start)), axis=axes[0] % rank)
