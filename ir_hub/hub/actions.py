"""Does the stages' work, by a worker of the hub's or by an adapter, and each piece of it once."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import structlog

from ir_hub import __version__
from ir_hub.blobs import LocalStore
from ir_hub.blobs.wire import blob_from_proto
from ir_hub.hub.adapters import Adapters
from ir_hub.hub.outcome import Outcome, Outcomes, action_digest
from ir_hub.hub.plan import IR
from ir_hub.ir.tensor import Blob
from ir_hub.ir.types import TensorType
from ir_hub.ops.op import OPSET
from ir_hub.sdk.client import AdapterClient, NamedBlob, Tell, quiet
from ir_hub.sdk.errors import BadRequest
from ir_hub.sdk.pool import Pool
from ir_hub.sdk.tensors import Arrays, read_types
from ir_hub.sdk.worker import Progress
from irhub.hub.v1 import hub_pb2

T = TypeVar("T")

# What the hub's own stages compute with: when it changes, what was computed doesn't count.
_CORE = ("ir", "ops", "simplify", "recover", "layout", "hub")


@dataclass(frozen=True)
class Source:
    """A model as it was given: framework or "ir", files, types of inputs, options of the parser."""

    framework: str
    files: Sequence[NamedBlob]
    inputs: Mapping[str, TensorType] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


class Actions:
    """What conversions are made of. Every method may raise any AdapterError."""

    def __init__(
        self,
        store: LocalStore,
        outcomes: Outcomes,
        pool: Pool,
        adapters: Adapters,
        stage_seconds: float,
    ) -> None:
        self.store = store
        self.adapters = adapters
        self._outcomes = outcomes
        self._pool = pool
        self._seconds = stage_seconds
        # A lock is there as long as somebody holds it or waits for it.
        self._alone: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def parse(self, source: Source, tell: Tell = quiet) -> Outcome:
        """A model as IR."""
        if source.framework == IR:
            if source.inputs or source.options:
                raise BadRequest(
                    "An IR says the types of its inputs itself, and is read without options: "
                    "leave both out, or give them when the IR is made."
                )
            return await self.own("parse", {"file": asdict(source.files[0].blob)}, tell)
        inputs = [[file.name, file.blob.digest] for file in source.files]
        options = {
            "inputs": {name: str(type_) for name, type_ in source.inputs.items()},
            "options": dict(source.options),
        }

        async def work() -> Outcome:
            parsed = await self.call(
                source.framework,
                lambda adapter: adapter.parse(
                    source.files,
                    source.inputs,
                    source.options,
                    seconds=self._seconds,
                    request_id=request_id(),
                    tell=tell,
                ),
            )
            held = await self._compute("hold", {"model": asdict(parsed.model)}, quiet)
            return Outcome(parsed.model, holds=held.holds, notes=parsed.notes)

        return await self.once(
            "parse", await self.adapters.version(source.framework), inputs, options, work
        )

    async def emit(
        self,
        target: str,
        model: Blob,
        options: Mapping[str, Any],
        tell: Tell = quiet,
        *,
        anew: bool = False,
    ) -> Outcome:
        """The IR as a model of the target; `options`: "name" of an IR file, or "format" and the
        target's own "options". `anew`: even if that was done before."""
        if target == IR:
            return await self.own("emit", {"model": asdict(model), **options}, tell)

        async def work() -> Outcome:
            written = await self.call(
                target,
                lambda adapter: adapter.emit(
                    model,
                    options["format"],
                    options["options"],
                    seconds=self._seconds,
                    request_id=request_id(),
                    tell=tell,
                ),
            )
            return Outcome(
                files=written.files,
                notes=written.notes,
                facts={
                    "weight_names": written.weight_names,
                    "fixed_sizes": written.fixed_sizes,
                },
            )

        if anew:
            return await work()
        return await self.once(
            "emit", await self.adapters.version(target), model.digest, options, work
        )

    async def own(self, stage: str, request: Mapping[str, Any], tell: Tell = quiet) -> Outcome:
        """A stage that the hub does itself."""
        return await self.once(
            stage, own_version(), request, {}, lambda: self._compute(stage, request, tell)
        )

    async def ask(self, step: str, request: bytes) -> bytes:
        """A step of a comparison, by a worker of the hub's; see `proof`."""
        return await self._pool.run(step, request, bound={"conversion": request_id()})

    async def once(
        self,
        stage: str,
        worker: Sequence[str],
        inputs: Any,
        options: Any,
        work: Callable[[], Awaitable[Outcome]],
    ) -> Outcome:
        """The outcome of the same work done before, if all of it is still there; else of `work`."""
        action = action_digest(stage, worker, inputs, options)
        # Two at once: the second one waits for what the first one finds out.
        async with self._alone.setdefault(action, asyncio.Lock()):
            found = self._outcomes.find(action)
            if found is None:
                found = await work()
                # A mismatch may be a fault that is mended by now.
                if found.facts.get("equal", True):
                    self._outcomes.add(action, found)
            return found

    async def run(self, source: Source, inputs: Arrays) -> Arrays:
        """What a model answers when its framework runs it. An option of its parser that run has
        too says which model is meant, such as a signature of it."""
        described = await self.adapters.describe(source.framework)
        known = {option.name for option in described.options if option.stage == "run"}
        options = {name: value for name, value in source.options.items() if name in known}
        return await self.call(
            source.framework,
            lambda adapter: adapter.run(
                source.files, inputs, options, seconds=self._seconds, request_id=request_id()
            ),
        )

    async def call(self, framework: str, work: Callable[[AdapterClient], Awaitable[T]]) -> T:
        """Has an adapter work for the conversion that is under way."""
        return await self.adapters.call(framework, work, request_id())

    async def _compute(self, stage: str, request: Mapping[str, Any], tell: Tell) -> Outcome:
        async def told(progress: Progress) -> None:
            tell(progress)

        answer = await self._pool.run(
            stage, json.dumps(request).encode(), told, {"conversion": request_id()}
        )
        return Outcome.from_json(answer.decode())


def source_from(
    framework: str, spec: hub_pb2.ConversionSpec | hub_pb2.InspectModelRequest
) -> Source:
    """The model that a request names."""
    files = [NamedBlob(file.name, blob_from_proto(file.blob)) for file in spec.files]
    options = dict(spec.parse_options) if isinstance(spec, hub_pb2.ConversionSpec) else {}
    return Source(framework, files, read_types(spec.inputs), options)


def request_id() -> str:
    """What an adapter's log lines are to carry for this work: the conversion's name."""
    return str(structlog.contextvars.get_contextvars().get("conversion", ""))


@cache
def own_version() -> tuple[str, ...]:
    """The hub with all that the results of its own stages depend on: its code's digest too."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for name in _CORE for path in (root / name).rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return ("irhub", __version__, digest.hexdigest()[:16], str(OPSET))
