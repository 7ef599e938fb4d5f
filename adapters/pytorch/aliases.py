"""Which values of an exported graph share their elements, and which of them are out of date after
one was changed in place."""

from __future__ import annotations

# Ops whose result may be the operand's own elements, looked at in another way.
VIEWS = frozenset(
    "alias broadcast_to chunk contiguous detach diagonal dropout expand expand_as feature_dropout"
    " alpha_dropout flatten lift_fresh movedim moveaxis mT narrow numpy_T permute positive ravel"
    " reshape reshape_as select slice split split_with_sizes squeeze swapaxes swapdims t"
    " tensor_split to transpose type_as unbind unflatten unfold unsqueeze view view_as"
    " hsplit vsplit dsplit matrix_H adjoint meshgrid broadcast_tensors".split()
)


class Aliases:
    """The values of a graph so far. `current` is what a value's name stands for now."""

    def __init__(self) -> None:
        self._group: dict[str, set[str]] = {}
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

    def view(self, source: str, results: tuple[str, ...]) -> None:
        """Results share the elements of their source."""
        group = self._group.setdefault(source, {source})
        for result in results:
            group.add(result)
            self._group[result] = group

    def change(self, changed: str, result: str, node: str) -> None:
        """A node changes a value in place; `result` is the value afterwards."""
        group = self._group.pop(changed, {changed})
        whole = {name for name in group if self.current(name) == self.current(changed)}
        for name in group - whole:
            self._stale[name] = node
        for name in whole:
            self._now[name] = result
        kept = {*whole, changed, result}
        for name in kept:
            self._group[name] = kept
