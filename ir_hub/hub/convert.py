"""Carries a conversion through its stages: parse, check, simplify, recover, relay, lower, emit,
compare."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import PurePosixPath

from ir_hub.blobs import Lease
from ir_hub.blobs.wire import blob_to_proto
from ir_hub.hub.actions import Actions, Source, own_version, source_from
from ir_hub.hub.board import Board, Running
from ir_hub.hub.bundle import SUFFIX
from ir_hub.hub.compare import Comparer, comparison_of, mismatch, runner
from ir_hub.hub.jobs import now
from ir_hub.hub.orders import Orders
from ir_hub.hub.outcome import Outcome
from ir_hub.hub.plan import IR, Plan, plan
from ir_hub.hub.report import report
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.client import NamedBlob, Tell, quiet
from ir_hub.sdk.errors import AdapterError, UntrustedCode
from ir_hub.sdk.tensors import Arrays, read_arrays
from irhub.hub.v1 import hub_pb2

Changed = Callable[[], None]


class Converter:
    """Converts."""

    def __init__(
        self, actions: Actions, observe: Callable[[hub_pb2.Conversion, Plan], None]
    ) -> None:
        """`observe` is told of every conversion that was carried out."""
        self._actions = actions
        self._observe = observe

    async def convert(self, conversion: hub_pb2.Conversion, lease: Lease, changed: Changed) -> None:
        """Carries a conversion to its end, which is noted in it; raises only what isn't about
        this conversion."""
        spec = conversion.spec
        planned = plan(spec.source, spec.target, spec.skip_check)
        work = _Conversion(self._actions, conversion, planned, lease, changed)
        state = hub_pb2.Conversion.STATE_SUCCEEDED
        try:
            await work.run()
        except Exception:
            if not conversion.failure.stage:
                raise
            state = hub_pb2.Conversion.STATE_FAILED
        await work.end(state)
        self._observe(conversion, planned)


class _Conversion:
    """One conversion under way."""

    def __init__(
        self,
        actions: Actions,
        conversion: hub_pb2.Conversion,
        planned: Plan,
        lease: Lease,
        changed: Changed,
    ) -> None:
        self._actions = actions
        self._conversion = conversion
        self._spec = conversion.spec
        self._plan = planned
        self._lease = lease
        self._board = Board(conversion, planned, changed)
        self._made: dict[str, Outcome] = {}  # by stage

    async def run(self) -> None:
        """All stages; an error ends the stage that it happens in."""
        source = source_from(self._plan.source, self._spec)
        parsed = await self._stage("parse", lambda tell: self._actions.parse(source, tell))
        checked = await self._own("check", parsed.ir())
        simple = await self._own("simplify", checked.ir())
        rich = await self._own("recover", simple.ir())
        self._summarise_source(checked, simple, rich)
        ready = await self._fitted(rich)
        self._summarise_target(rich, ready)
        emitted = await self._stage("emit", lambda tell: self._emit(ready.ir(), tell))
        summary = self._conversion.summary
        summary.code_lines = await asyncio.to_thread(self._count_lines, emitted.files)
        summary.fixed_sizes.update(emitted.facts.get("fixed_sizes", {}))
        if "compare" not in self._plan.left_out:
            await self._compared(source, ready.ir())
        self._deliver(emitted)

    async def end(self, state: hub_pb2.Conversion.State.ValueType) -> None:
        """Ends the conversion, with its report."""
        sides = {"source": self._plan.source, "target": self._plan.target}
        versions = {}
        for side, name in sides.items():
            # One that doesn't answer any more is no reason to have no report.
            with suppress(AdapterError):
                versions[side] = (
                    own_version()
                    if name == IR
                    else await self._actions.adapters.version(name, waits=False)
                )
        written = self._made.get("emit", Outcome()).facts.get("weight_names", {})
        content = report(self._conversion, state, self._plan, versions, written)
        blob = await asyncio.to_thread(self._actions.store.put_bytes, content)
        self._lease.add([blob])
        # All at once: whoever sees that it has ended sees all of it.
        self._conversion.report.CopyFrom(blob_to_proto(blob))
        self._conversion.end_time.CopyFrom(now())
        self._conversion.state = state

    async def _fitted(self, model: Outcome) -> Outcome:
        """The IR as the target can say it."""
        if self._plan.target == IR:
            return model
        adapters, name = self._actions.adapters, self._plan.target

        async def relay(tell: Tell) -> Outcome:
            axes = dict(sorted((await adapters.describe(name)).axes.items()))
            is_native = self._spec.io_layout == self._spec.IO_LAYOUT_NATIVE
            request = {"model": asdict(model.ir()), "axes": axes, "native": is_native}
            return await self._actions.own("relay", request, tell)

        async def lower(tell: Tell) -> Outcome:
            ops = sorted((await adapters.describe(name)).ops)
            request = {"model": asdict(laid.ir()), "ops": ops}
            return await self._actions.own("lower", request, tell)

        laid = await self._stage("relay", relay)
        return await self._stage("lower", lower)

    def _summarise_source(self, checked: Outcome, simple: Outcome, rich: Outcome) -> None:
        summary = self._conversion.summary
        summary.nodes_in = checked.facts["nodes"]
        summary.parameters = simple.facts["parameters"]
        summary.recovered.update(rich.facts["recovered"])

    def _summarise_target(self, rich: Outcome, ready: Outcome) -> None:
        summary, orders = self._conversion.summary, self._orders()
        summary.nodes_out = ready.facts["nodes"]
        summary.all_transposes = ready.facts["transposes"]
        summary.transposes = max(0, ready.facts["transposes"] - rich.facts["transposes"])
        for found, noted in (
            (orders.inputs, summary.reordered_inputs),
            (orders.outputs, summary.reordered_outputs),
        ):
            noted.extend(
                hub_pb2.ReorderedAxes(name=each.name, axes=each.axes) for each in found if each.axes
            )

    def _orders(self) -> Orders:
        """How the converted model's inputs and outputs stand to the source's."""
        return Orders.read(self._made.get("relay", Outcome()).facts)

    async def _emit(self, model: Blob, tell: Tell, *, anew: bool = False) -> Outcome:
        if self._plan.target == IR:
            name = PurePosixPath(self._spec.files[0].name).stem + SUFFIX
            return await self._actions.emit(IR, model, {"name": name}, tell)
        options = {"format": self._spec.format, "options": dict(self._spec.emit_options)}
        return await self._actions.emit(self._plan.target, model, options, tell, anew=anew)

    async def _compared(self, source: Source, ready: Blob) -> None:
        """Compares, and notes the comparison; Mismatch unless it may differ."""
        with self._board.stage("compare") as running:
            outcome = await self._comparison(source, ready, running)
            comparison = comparison_of(outcome)
            self._conversion.comparison.CopyFrom(comparison)
            self._note("compare", outcome)
            if not comparison.equal and not self._spec.allow_mismatch:
                raise mismatch(comparison)
            running.end(outcome)
        if not comparison.equal:
            self._conversion.notes.append(
                f"compare: DELIVERED DESPITE A MISMATCH, on request. {mismatch(comparison)}"
            )

    async def _comparison(self, source: Source, ready: Blob, running: Running) -> Outcome:
        actions, given = self._actions, self._spec.check_inputs
        checked, rich = self._made["check"].ir(), self._made["recover"].ir()
        emitted, orders = self._made["emit"], self._orders()
        fixed = emitted.facts.get("fixed_sizes", {})
        theirs = runner(actions, source, checked)
        written = runner(actions, Source(self._plan.target, emitted.files), ready)

        async def ours(inputs: Arrays) -> Arrays:
            taken = orders.to_target(inputs)
            try:
                return orders.to_source(await written(taken))
            except UntrustedCode:
                # Known from earlier to us, but no more to the adapter, which has its own store.
                await self._emit(ready, quiet, anew=True)
                return orders.to_source(await written(taken))

        comparer = Comparer(actions, rich, theirs, ours, fixed)

        async def work() -> Outcome:
            if given:
                return await comparer.with_given(read_arrays(given, actions.store), running.tell)
            return await comparer.with_drawn(running.tell)

        sides = {source.framework, self._plan.target} - {IR}
        workers = [part for side in sorted(sides) for part in await actions.adapters.version(side)]
        files = [file.blob.digest for file in (*source.files, *emitted.files)]
        drawn = [value.SerializeToString(deterministic=True).hex() for value in given]
        read = [checked.digest, rich.digest, ready.digest, *files]
        ran = {"inputs": drawn, "options": dict(source.options)}
        how = {**ran, "orders": asdict(orders), "fixed": fixed}
        return await actions.once("compare", [*workers, *own_version()], read, how, work)

    async def _own(self, stage: str, model: Blob) -> Outcome:
        request = {"model": asdict(model)}
        return await self._stage(stage, lambda tell: self._actions.own(stage, request, tell))

    async def _stage(self, name: str, work: Callable[[Tell], Awaitable[Outcome]]) -> Outcome:
        with self._board.stage(name) as running:
            outcome = await work(running.tell)
            # From here on nobody may evict what it made until the conversion has ended.
            await asyncio.to_thread(self._lease.add, outcome.blobs())
            running.end(outcome)
        self._made[name] = outcome
        self._note(name, outcome)
        return outcome

    def _note(self, stage: str, outcome: Outcome) -> None:
        self._conversion.notes.extend(f"{stage}: {note}" for note in outcome.notes)

    def _deliver(self, emitted: Outcome) -> None:
        for file in emitted.files:
            self._conversion.files.add(name=file.name, blob=blob_to_proto(file.blob))

    def _count_lines(self, files: tuple[NamedBlob, ...]) -> int:
        """Lines of the code that was written, empty ones left out."""
        blobs = [file.blob for file in files if file.name.endswith(".py")]
        code = [bytes(self._actions.store.open(blob)) for blob in blobs]
        return sum(bool(line.strip()) for text in code for line in text.splitlines())
