"""What does nothing, or only moves elements about, twice."""

from __future__ import annotations

from ir_hub.ir.graph import Node
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.rewrite import Instead, rewrite, same_type


@rewrite("identity")
def identity(node: Node, index: Index, make: Maker) -> Instead:
    """identity(x) is x."""
    return node.x


@rewrite("cast", "reshape", "expand", "flatten", "squeeze", "unsqueeze", "tile")
def same_shape_and_type(node: Node, index: Index, make: Maker) -> Instead:
    """What keeps the type, and the order of the elements, is x."""
    if node.op == "tile" and (not isinstance(node.repeats, tuple) or set(node.repeats) != {1}):
        return None
    known = node.x.shape is not None and same_type(node.x.type, node.result.type)
    return node.x if known else None


@rewrite("add", "sub", "mul", "div")
def neutral(node: Node, index: Index, make: Maker) -> Instead:
    """x + 0, x - 0, x * 1 and x / 1 are x."""
    number = 0 if node.op in ("add", "sub") else 1
    if node.y.scalar == number and same_type(node.x.type, node.result.type):
        return node.x
    commutes = node.op in ("add", "mul")
    if commutes and node.x.scalar == number and same_type(node.y.type, node.result.type):
        return node.y
    return None


@rewrite(
    "add", "sub", "mul", "div", "minimum", "maximum", "pow", "where", free={"constant_of_shape"}
)
def expansions(node: Node, index: Index, make: Maker) -> Instead:
    """What an elementwise op would expand by itself needn't be expanded, or filled, before it."""
    sources = {name: index.producer(value) for name, value in node.operands()}
    for name, source in sources.items():
        if source is None or source.op not in ("expand", "constant_of_shape"):
            continue
        filled = source.op == "constant_of_shape"
        smaller = make.constant(source.value, source.dtype) if filled else source.x
        result = make.append(node.op, {**node.args, name: smaller}).result
        if same_type(result.type, node.result.type):
            return result
        make.graph.nodes.clear()
    return None


@rewrite("dropout")
def dropout_of_nothing(node: Node, index: Index, make: Maker) -> Instead:
    """dropout(x) that drops nothing, in training either, is x."""
    return node.x if node.rate == 0 else None


@rewrite("pad")
def padding_by_nothing(node: Node, index: Index, make: Maker) -> Instead:
    """pad(x) by zeros everywhere is x."""
    return node.x if isinstance(node.pads, tuple) and not any(node.pads) else None


@rewrite("slice")
def slice_of_everything(node: Node, index: Index, make: Maker) -> Instead:
    """A slice from 0 in steps of 1 that keeps the sizes is x."""
    if not isinstance(node.starts, tuple) or set(node.starts) - {0}:
        return None
    if node.steps is not None and set(node.steps) != {1}:
        return None
    return node.x if same_type(node.x.type, node.result.type) else None


@rewrite("concat")
def concat_of_one(node: Node, index: Index, make: Maker) -> Instead:
    """concat((x,)) is x."""
    return node.xs[0] if len(node.xs) == 1 else None


@rewrite("transpose")
def transposes(node: Node, index: Index, make: Maker) -> Instead:
    """A transpose that moves nothing is x; two are one."""
    if node.perm == tuple(range(len(node.perm))):
        return node.x
    inner = index.producer(node.x)
    if inner is None or inner.op != "transpose":
        return None
    both = tuple(inner.perm[axis] for axis in node.perm)
    return make.transpose(inner.x, perm=both)


@rewrite("transpose")
def transposes_around_new_axes(node: Node, index: Index, make: Maker) -> Instead:
    """Of two transposes, with axes of size 1 put before all others between them, one is enough."""
    grown = index.producer(node.x)
    if grown is None or grown.op not in ("reshape", "unsqueeze") or grown.result.shape is None:
        return None
    inner = index.producer(grown.x)
    if inner is None or inner.op != "transpose" or grown.x.shape is None:
        return None
    new = len(grown.result.shape) - len(grown.x.shape)
    if new < 1 or grown.result.shape != (*(1,) * new, *grown.x.shape):
        return None
    if node.perm[:new] != tuple(range(new)):
        return None
    both = tuple(inner.perm[axis - new] for axis in node.perm[new:])
    return make.unsqueeze(make.transpose(inner.x, perm=both), tuple(range(new)))


@rewrite("unsqueeze")
def unsqueezes(node: Node, index: Index, make: Maker) -> Instead:
    """New axes beside new axes come all at once."""
    inner = index.producer(node.x)
    if inner is None or inner.op != "unsqueeze" or node.result.shape is None:
        return None
    if not isinstance(node.axes, tuple) or not isinstance(inner.axes, tuple):
        return None
    rank = len(node.result.shape)
    late = {axis % rank for axis in node.axes}
    others = [axis for axis in range(rank) if axis not in late]
    early = {others[axis % len(others)] for axis in inner.axes}
    return make.unsqueeze(inner.x, tuple(sorted(late | early)))


@rewrite("reshape", "flatten", "squeeze", "unsqueeze")
def there_and_back(node: Node, index: Index, make: Maker) -> Instead:
    """A change of the shape that the next one undoes is none."""
    inner = index.producer(node.x)
    if inner is None or inner.op not in _RESHAPES or inner.x.shape is None:
        return None
    return inner.x if same_type(inner.x.type, node.result.type) else None


@rewrite("reshape")
def reshapes(node: Node, index: Index, make: Maker) -> Instead:
    """A reshape of what only changed the shape is a reshape."""
    inner = index.producer(node.x)
    if inner is None or inner.op not in _RESHAPES:
        return None
    shape = node.shape
    if not isinstance(shape, tuple):
        return None
    if 0 in shape:  # it copies a size of what is no longer there
        shape = node.result.shape
        if shape is None or not all(isinstance(size, int) and size > 0 for size in shape):
            return None
    return make.reshape(inner.x, shape)


@rewrite("reshape")
def flatten(node: Node, index: Index, make: Maker) -> Instead:
    """A reshape that keeps the first axis and makes one of all others is flatten."""
    if node.x.shape is None or len(node.x.shape) < 3:
        return None
    result = make.flatten(node.x, axis=1)
    return result if same_type(result.type, node.result.type) else None


@rewrite("cast")
def casts(node: Node, index: Index, make: Maker) -> Instead:
    """A cast of a cast is one, where the first one loses nothing."""
    inner = index.producer(node.x)
    if inner is None or inner.op != "cast" or inner.x.dtype is None or node.x.dtype is None:
        return None
    widens = (inner.x.dtype.value, node.x.dtype.value) in _LOSSLESS
    return make.cast(inner.x, to=node.to, saturate=node.saturate) if widens else None


_RESHAPES = frozenset({"reshape", "flatten", "squeeze", "unsqueeze"})
_LOSSLESS = frozenset(
    {
        ("float16", "float32"),
        ("bfloat16", "float32"),
        ("float16", "float64"),
        ("bfloat16", "float64"),
        ("float32", "float64"),
        ("int32", "int64"),
    }
)


@rewrite("tile")
def repeated_of_size_1(node: Node, index: Index, make: Maker) -> Instead:
    """What is repeated along axes of size 1 alone is expanded."""
    shape, repeats = node.x.shape, node.repeats
    if shape is None or not isinstance(repeats, tuple):
        return None
    pairs = list(zip(shape, repeats, strict=True))
    if any(count != 1 and size != 1 for size, count in pairs):
        return None
    return make.expand(node.x, tuple(size if count == 1 else count for size, count in pairs))
