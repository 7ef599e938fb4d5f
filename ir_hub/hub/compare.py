"""The proof: runs source and target on the same inputs, and compares what they answer."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from google.protobuf import json_format

from ir_hub.blobs.wire import blob_to_proto
from ir_hub.hub.actions import Actions, Source
from ir_hub.hub.inputs import described
from ir_hub.hub.outcome import Outcome
from ir_hub.hub.plan import IR
from ir_hub.hub.sizes import Sizes
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.client import Tell, quiet
from ir_hub.sdk.errors import AdapterError, RunFailed
from ir_hub.sdk.tensors import Arrays, read_arrays, write_arrays
from ir_hub.sdk.worker import Progress
from irhub.adapter.v1 import adapter_pb2
from irhub.hub.v1 import hub_pb2

Runner = Callable[[Arrays], Awaitable[Arrays]]

RUNS = 2  # the second one with other sizes, where sizes are open
_SHOWN = 300  # characters of a runtime's own words


class Mismatch(AdapterError):
    """The two models compute different things; the message says how different."""

    reason = "MISMATCH"


class NothingToCompare(AdapterError):
    """The source itself couldn't be run, so that there is nothing to compare with."""

    reason = "SOURCE_RUN_FAILED"


def runner(actions: Actions, source: Source, model: Blob) -> Runner:
    """Runs a model: its files by its framework, or its IR by the reference runtime."""

    async def by_framework(inputs: Arrays) -> Arrays:
        return await actions.run(source, inputs)

    async def by_reference(inputs: Arrays) -> Arrays:
        values = await asyncio.to_thread(write_arrays, inputs, actions.store)
        file = adapter_pb2.File(name="model", blob=blob_to_proto(model))
        request = adapter_pb2.RunRequest(files=[file], inputs=values)
        answer = await actions.ask("run", request.SerializeToString())
        return read_arrays(adapter_pb2.RunResult.FromString(answer).outputs, actions.store)

    return by_reference if source.framework == IR else by_framework


class Comparer:
    """Compares two models; `model` is the source's IR, which says what inputs there are, `fixed`
    the open sizes of them that the target has fixed."""

    def __init__(
        self, actions: Actions, model: Blob, source: Runner, target: Runner, fixed: Sizes
    ) -> None:
        self._actions = actions
        self._model = asdict(model)
        self._source = source
        self._target = target
        self._fixed = dict(fixed)
        self._notes: list[str] = []
        self._outputs: list[Any] = []

    async def with_drawn(self, tell: Tell = quiet) -> Outcome:
        """Compares on random inputs that fit; facts are those of a hub_pb2.Comparison.

        Raises:
            NothingToCompare: the source ran with none of them.
        """
        taken: list[Sizes] = []
        for run in range(RUNS):
            tell(Progress(f"run {run + 1}", run / RUNS))
            sizes = await self._run_drawn(run, taken)
            if sizes is not None:
                taken.append(sizes)
        return self._outcome()

    async def with_given(self, inputs: Arrays, tell: Tell = quiet) -> Outcome:
        """Compares on the given inputs."""
        tell(Progress("running the source", 0.0))
        try:
            outputs = await self._source(inputs)
        except RunFailed as error:
            raise NothingToCompare(
                f"The source doesn't run with the given inputs: {error}"
            ) from error
        await self._judge(0, inputs, outputs)
        return self._outcome()

    async def _run_drawn(self, run: int, taken: Sequence[Sizes]) -> Sizes | None:
        """Compares with the first sizes that the source runs with; None if there are no others."""
        asked = {"model": self._model, "taken": list(taken), "fixed": self._fixed}
        failures: list[str] = []
        for sizes in json.loads(await self._actions.ask("trials", json.dumps(asked).encode())):
            inputs = await self._draw(run, sizes)
            try:
                outputs = await self._source(inputs)
            except RunFailed as error:
                failures.append(f"with {', '.join(described(inputs))}: {_shortened(str(error))}")
                continue
            self._note_failures(failures)
            await self._judge(run, inputs, outputs)
            return dict(sizes)
        if run == 0:
            raise _nothing(failures)
        self._note_failures(failures)
        return None

    async def _draw(self, run: int, sizes: Sizes) -> Arrays:
        request = {"model": self._model, "run": run, "sizes": dict(sizes)}
        answer = await self._actions.ask("draw", json.dumps(request).encode())
        return read_arrays(adapter_pb2.RunResult.FromString(answer).outputs, self._actions.store)

    async def _judge(self, run: int, inputs: Arrays, source: Arrays) -> None:
        try:
            target = await self._target(inputs)
        except RunFailed as error:
            words = _shortened(str(error))
            reason = f"the source runs with these inputs, the target doesn't: {words}"
            self._outputs += [
                {"run": run, "output": name, "inputs": described(inputs), "reason": reason}
                for name in source
            ]
            return
        request = {
            "model": self._model,
            "run": run,
            "inputs": described(inputs),
            "given": await self._packed(inputs),
            "source": await self._packed(source),
            "target": await self._packed(target),
        }
        answer = await self._actions.ask("agree", json.dumps(request).encode())
        found = Outcome.from_json(answer.decode())
        self._outputs += found.facts["outputs"]
        self._notes += found.notes

    async def _packed(self, arrays: Arrays) -> str:
        values = await asyncio.to_thread(write_arrays, arrays, self._actions.store)
        result = adapter_pb2.RunResult(outputs=values)
        return base64.b64encode(result.SerializeToString()).decode()

    def _note_failures(self, failures: Sequence[str]) -> None:
        if failures:
            more = f", and with {len(failures) - 1} other sizes" if len(failures) > 1 else ""
            self._notes.append(f"the source itself doesn't run {failures[0]}{more}")

    def _outcome(self) -> Outcome:
        outputs = [_entry(facts) for facts in self._outputs]
        comparison = hub_pb2.Comparison(
            equal=all(entry.equal for entry in outputs),
            outputs=outputs,
            max_error=max(entry.max_error for entry in outputs),
        )
        facts = {
            "equal": comparison.equal,
            "comparison": json_format.MessageToDict(comparison, preserving_proto_field_name=True),
        }
        return Outcome(notes=tuple(self._notes), facts=facts)


def comparison_of(outcome: Outcome) -> hub_pb2.Comparison:
    """The comparison that an outcome's facts are."""
    return json_format.ParseDict(outcome.facts["comparison"], hub_pb2.Comparison())


def mismatch(comparison: hub_pb2.Comparison) -> Mismatch:
    """The error that says where two models differ."""
    wrong = [entry for entry in comparison.outputs if not entry.equal]
    first = wrong[0]
    return Mismatch(
        f"The converted model doesn't compute the same: {len(wrong)} of "
        f"{len(comparison.outputs)} outputs differ. Output {first.output!r} in run {first.run} "
        f"with {'; '.join(first.inputs)}: relative error {first.max_error:.3g}, where "
        f"{first.tolerance:.3g} is allowed; {first.reason}.",
        metadata={"max_error": f"{comparison.max_error:.6g}"},
    )


def _entry(facts: dict[str, Any]) -> hub_pb2.OutputComparison:
    return json_format.ParseDict(facts, hub_pb2.OutputComparison())


def _nothing(failures: Sequence[str]) -> NothingToCompare:
    tried = "; ".join(failures[:3]) or "no sizes keep what the model promises of its inputs"
    return NothingToCompare(
        "The source itself runs with none of the inputs that were tried, so nothing is proven: "
        f"{tried}. Give inputs that it runs with (--check-inputs), or leave the check out "
        "(--no-check)."
    )


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]} ..."
