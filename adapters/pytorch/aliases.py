"""Which values of an exported graph share their elements, and which of them are out of date after
one was changed in place."""

from __future__ import annotations

from adapters.pytorch.exported import TYPES, Ref
from ir_hub.sdk.source import SourceNode

# Ops that give the operand itself where they have nothing to drop.
_DROPOUTS = frozenset(("alpha_dropout", "dropout", "feature_alpha_dropout", "feature_dropout"))
# Ops whose result may be the operand's own elements, looked at in another way.
_VIEWS = frozenset((
    "alias", "broadcast_tensors", "broadcast_to", "chunk", "contiguous", "detach", "diagonal",
    "expand", "expand_as", "flatten", "lift_fresh", "mT", "meshgrid", "moveaxis", "movedim",
    "narrow", "numpy_T", "permute", "positive", "ravel", "reshape", "reshape_as", "resolve_conj",
    "resolve_neg", "select", "slice", "split", "split_with_sizes", "squeeze", "swapaxes",
    "swapdims", "t", "tensor_split", "to", "transpose", "type_as", "unbind", "unflatten", "unfold",
    "unsqueeze", "view", "view_as",
))  # fmt: skip

# How a part is put back into what it is a part of. The operands and attributes are those of the
# view, with the part's new elements as `src`.
_PUT_BACK = {
    "aten.slice.Tensor": "aten.slice_scatter.default",
    "aten.select.int": "aten.select_scatter.default",
}


def is_view(target: str, *, in_place: bool) -> bool:
    """Whether an op gives its operand's elements as they are. In place, dropouts change them."""
    space, _, rest = target.partition(".")
    op = rest.partition(".")[0]
    return space == "aten" and (op in _VIEWS or (op in _DROPOUTS and not in_place))


class Aliases:
    """The values of a graph so far."""

    def __init__(self) -> None:
        self._group: dict[str, set[str]] = {}
        self._part: dict[str, tuple[str, SourceNode]] = {}
        self._now: dict[str, str] = {}
        self._stale: dict[str, str] = {}

    def current(self, name: str) -> str:
        """The value that a name stands for, after the changes made in place."""
        return self._now.get(name, name)

    def stale(self, name: str) -> str:
        """The node that changed a value through another one that shares its elements, or ""."""
        return self._stale.get(name, "")

    def of(self, name: str) -> set[str]:
        """The values that share a value's elements, itself among them."""
        return self._group.get(name, {name})

    def view(self, source: str, results: tuple[str, ...], node: SourceNode) -> None:
        """The results of a node share the elements of their source."""
        group = self._group.setdefault(source, {source})
        for result in results:
            group.add(result)
            self._group[result] = group
            self._part[result] = source, node

    def change(self, changed: str, result: str, node: str) -> list[SourceNode]:
        """A node changes a value in place; `result` is the value afterwards.

        Returns the nodes that put changed parts back into what they are parts of.
        """
        group = self.of(changed)
        fresh = {self.current(changed): result}
        parts: list[SourceNode] = []
        if changed in self._part:
            self._part[result] = self._part[changed]
        inner, value = changed, result
        while inner in self._part and self._part[inner][1].type in _PUT_BACK:
            inner, view = self._part[inner]
            whole, part, value = self.current(inner), value, f"{inner} after {result}"
            parts.append(_put_back(view, whole, part, value))
            fresh[whole] = value
        for name in group:
            now = fresh.get(self.current(name))
            if now is None:
                self._stale[name] = node
            else:
                self._now[name] = now
        group.add(result)
        self._group[result] = group
        return parts


def _put_back(view: SourceNode, whole: str, part: str, result: str) -> SourceNode:
    """The node that gives a whole whose part, which `view` takes of it, is another one."""
    attrs = {name: item for name, item in view.attrs.items() if name != TYPES}
    attrs["src"] = Ref(len(view.inputs))
    read = (whole, *view.inputs[1:], part)
    return SourceNode(_PUT_BACK[view.type], read, (result,), attrs, name=result, scope=view.scope)
