"""Re-lays a model for a target: every op that names its axes gets the order that the target runs.

One walk forward. What flows is held in whatever order it was made in (see `held`), and each op
says by its layout class what it makes of that:

    ELEMENTWISE   takes the order that the fewest elements must be moved for
    AXIS          the same, with `axis` and `axes` renumbered
    AXES_STRING   takes and gives the target's orders
    BARRIER       takes and gives what was written, as does all that isn't known here

Constants are had in every order for nothing. No order is guessed from sizes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ir_hub.ir.graph import Argument, Graph, Model, Node, Value, constant
from ir_hub.ir.types import DType, TensorType
from ir_hub.layout.absorb import absorb, scrambled
from ir_hub.layout.axis import along, operand_names, remapped
from ir_hub.layout.boundary import restore_outputs
from ir_hub.layout.broadcast import align_cost, aligned
from ir_hub.layout.held import Held, rank_of, shape_of
from ir_hub.layout.native import native_axes, native_place
from ir_hub.layout.permutations import Perm, identity, inverse, moved_to, permuted_type
from ir_hub.layout.regroup import (
    RESHAPES,
    Group,
    groups,
    reshaped_args,
    result_order,
)
from ir_hub.layout.wishes import operand_order, wishes
from ir_hub.ops.axes_string import orders, permutation
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Layout
from ir_hub.ops.shape_rules import axis_of


def relay(model: Model, axes: Mapping[str, str]) -> Model:
    """Puts a model, in place, in the order of axes that a target runs. Its inputs and outputs keep
    theirs: `native_boundary` changes that.

    Args:
        model: with types; what has no known rank stays in the order it is written in.
        axes: the target's order for ops that name their axes, such as {"conv":
            "N*C,*IO->N*C"}; ops that aren't in it get the order that is their default. For an op
            along one axis, such as {"batch_norm": "NC*->NC*"}, C is where that axis must be.
    """
    _Relay(axes, model.scopes, model.graph).run()
    return model


class _Relay:
    """The walk over one graph."""

    def __init__(self, axes: Mapping[str, str], scopes: Mapping[str, str], graph: Graph) -> None:
        self._axes = axes
        self._scopes = scopes
        self._graph = graph
        self._users = graph.users()
        self._wishes = wishes(graph, axes)
        self._held = Held(scopes)

    def run(self) -> None:
        for node in self._graph.nodes:
            self._held.begin(node.scope)
            self._node(node)
        restore_outputs(self._graph, self._held)
        self._graph.nodes = self._held.nodes
        self._graph.prune()

    def _node(self, node: Node) -> None:
        values = [*(value for _, value in node.operands()), *node.results]
        known = node.op in OPS and all(value.shape is not None for value in values)
        if not known or any(True for _ in node.bodies()):
            self._barrier(node)
        elif node.op == "transpose":
            perm = tuple(axis_of(axis, len(node.perm)) for axis in node.perm)
            self._held.see(node.result, node.x, perm)
        elif node.op in RESHAPES:
            self._reshape(node)
        elif node.op in ("shape_of", "size_of"):
            self._sizes_of(node)
        else:
            _BY_LAYOUT[OPS[node.op].layout](self, node)

    def _barrier(self, node: Node) -> None:
        """Takes and gives what was written; bodies do so at their boundary."""
        for body in node.bodies():
            body.substitute({value: self._held.get(value) for value in body.captures()})
            _Relay(self._axes, self._scopes, body).run()
        args = {name: self._as_written(argument) for name, argument in node.args.items()}
        self._made(node, args)

    def _as_written(self, argument: Argument) -> Argument:
        if isinstance(argument, Value):
            return self._held.get(argument)
        if isinstance(argument, tuple) and argument and isinstance(argument[0], Value):
            return tuple(self._held.get(value) for value in argument if isinstance(value, Value))
        return argument

    def _made(self, node: Node, args: dict[str, Argument], perm: Perm | None = None) -> None:
        """Notes a node with its new arguments; its results are transposed by `perm`, but for
        those that have other axes."""
        node.args = args
        for place, result in enumerate(node.results):
            as_written = perm is None or perm == identity(len(perm))
            if perm is None or as_written or len(result.shape or ()) != len(perm):
                continue
            have = Value(result.name, permuted_type(result.type, perm), node)
            node.results[place] = have
            self._held.hold(result, perm, have)
        self._held.nodes.append(node)

    def _elementwise(self, node: Node) -> None:
        values = [value for _, value in node.operands()]
        rank = rank_of(node.result)
        if any(rank_of(value) > rank for value in values):
            self._barrier(node)
            return
        whole = [value for value in values if rank_of(value) == rank]
        perm = self._cheapest(node, whole, values)
        held, perm = self._held, identity(rank) if perm is None else perm
        args = {
            name: aligned(held, argument, perm) if isinstance(argument, Value) else argument
            for name, argument in node.args.items()
        }
        self._made(node, args, perm)

    def _cheapest(
        self, node: Node, candidates: Sequence[Value], operands: Sequence[Value]
    ) -> Perm | None:
        """The order that one of the candidates is there in for which the fewest elements of the
        operands have to be moved; of equals the one that is asked for later, or that more of them
        are there in, or that isn't the one written. None where all are constants."""
        wish = self._wishes.get(node.result)
        votes = Counter(perm for value in candidates for perm in self._held.orders(value))

        def rank(perm: Perm) -> tuple[int, bool, int, bool]:
            moved = sum(align_cost(self._held, value, perm) for value in operands)
            return moved, perm != wish, -votes[perm], perm == identity(len(perm))

        return min(votes, key=rank, default=None)

    def _along_axes(self, node: Node) -> None:
        first = operand_names(node)[0]
        argument = node.args[first]
        values = argument if isinstance(argument, tuple) else (argument,)
        operands = [value for value in values if isinstance(value, Value)]
        best = self._asked_by_all(node) or self._cheapest(node, operands, operands)
        perm = self._fitting(node, best, operands[0])
        found = None if perm is None or perm == identity(len(perm)) else remapped(node, perm)
        if perm is None or found is None:
            self._barrier(node)
            return
        args, result_perm = found
        moved = tuple(self._held.get(value, perm) for value in operands)
        given = {first: moved if isinstance(argument, tuple) else moved[0]}
        self._made(node, self._completed(args, given), result_perm)

    def _asked_by_all(self, node: Node) -> Perm | None:
        """The order that several results are all asked for in later: what is moved once here
        needn't be moved part by part."""
        wished = {self._wishes.get(result) for result in node.results if self._users.get(result)}
        return wished.pop() if len(node.results) > 1 and len(wished) == 1 else None

    def _completed(
        self, args: Mapping[str, Argument], given: Mapping[str, Argument]
    ) -> dict[str, Argument]:
        """The arguments with those that are given; the others are taken as written."""
        return {
            name: given[name] if name in given else self._as_written(argument)
            for name, argument in args.items()
        }

    def _fitting(self, node: Node, perm: Perm | None, x: Value) -> Perm | None:
        """The order, or where the target needs the node's axis in another place, one that has
        it there: such a one that x is there in, if there is one."""
        rank = rank_of(x)
        axis, place = along(node, rank), native_place(node, rank, self._axes)
        if axis is None or place is None or (perm is not None and perm.index(axis) == place):
            return perm
        there = [p for p in self._held.orders(x) if p.index(axis) == place]
        return there[0] if there else moved_to(axis, place, rank)

    def _named_axes(self, node: Node) -> None:
        native = native_axes(node, self._axes)
        *sources, source = orders(node.axes)
        *targets, target = orders(native)
        given: dict[str, Argument] = {"axes": native}
        try:
            for name, ours, theirs in zip(operand_names(node), sources, targets, strict=False):
                value = node.args[name]
                assert isinstance(value, Value)
                given[name] = self._held.get(value, permutation(ours, theirs, rank_of(value)))
            result_perm = permutation(source, target, rank_of(node.result))
        except ValueError:  # it names other axes than the target: that the target has to refuse
            self._barrier(node)
            return
        self._made(node, self._completed(node.args, given), result_perm)

    def _reshape(self, node: Node) -> None:
        """Reshapes what is there, if that can be; else what gives what is asked for later."""
        before, after = shape_of(node.x), shape_of(node.result)
        parts, perms = groups(before, after), self._preferred(node.x)
        if any(self._reshaped(node, parts, perm) for perm in perms):
            return
        if parts and any(self._scrambled(node, parts, perm) for perm in perms):
            return
        wish = self._wishes.get(node.result)
        asked = None if wish is None else operand_order(node, parts, wish)
        if asked is None or not self._reshaped(node, parts, asked):
            self._barrier(node)

    def _preferred(self, x: Value) -> list[Perm]:
        """The orders that a value is there in, those that were made before the one written."""
        found = self._held.orders(x)
        return sorted(found, key=lambda perm: perm == identity(len(perm)))

    def _reshaped(self, node: Node, parts: list[Group], perm: Perm) -> bool:
        """Reshapes the operand in an order, which its groups of axes may be torn apart in."""
        order = result_order(parts, shape_of(node.x), perm, shape_of(node.result))
        return order is not None and self._reshape_to(node, perm, order)

    def _scrambled(self, node: Node, parts: list[Group], perm: Perm) -> bool:
        """Reshapes the operand in an order as if it were as written, if all that this changes
        can be put right in weights."""
        how = scrambled(parts, shape_of(node.x), perm, shape_of(node.result))
        as_written = identity(len(shape_of(node.result)))
        if how is None or reshaped_args(node, perm, as_written) is None:
            return False
        absorbed = absorb(node.result, how, self._users, self._graph.outputs)
        return absorbed and self._reshape_to(node, perm, as_written)

    def _reshape_to(self, node: Node, perm: Perm, order: Perm) -> bool:
        found = reshaped_args(node, perm, order)
        if found is None:
            return False
        node.op, given = found
        args = OPS[node.op].complete({"x": node.x, **given})
        self._made(node, self._completed(args, {"x": self._held.get(node.x, perm)}), order)
        return True

    def _sizes_of(self, node: Node) -> None:
        """The sizes of a value that isn't there as it was written are those of what is there, in
        another order."""
        x, rank = node.x, rank_of(node.x)
        perms = self._held.orders(x)
        if not perms or identity(rank) in perms:
            self._barrier(node)
            return
        have = self._held.get(x, perms[0])
        if node.op == "size_of":
            self._made(node, {"x": have})
            return
        sizes = Value(f"{node.result.name}_transposed", TensorType(DType.INT64, (rank,)))
        self._held.add("shape_of", {"x": have}, sizes, node.scope)
        places = np.array(inverse(perms[0])[slice(node.start, node.end)], np.int64)
        node.op = "gather"
        self._made(node, {"x": sizes, "indices": constant(places, "places"), "axis": 0})


_BY_LAYOUT = {
    Layout.ELEMENTWISE: _Relay._elementwise,
    Layout.AXIS: _Relay._along_axes,
    Layout.AXES_STRING: _Relay._named_axes,
    Layout.BARRIER: _Relay._barrier,
}
