"""Looks at models without converting them: what is in one, and what recover makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from ir_hub.blobs import LocalStore
from ir_hub.blobs.wire import blob_from_proto, blob_to_proto
from ir_hub.hub.actions import Actions, source_from
from ir_hub.hub.adapters import Adapters
from ir_hub.hub.detect import NoAdapter, detect
from ir_hub.hub.outcome import Outcome
from ir_hub.hub.plan import IR
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.errors import AdapterError, Unreachable
from irhub.adapter.v1 import adapter_pb2
from irhub.hub.v1 import hub_pb2

_LEASE_SECONDS = 24 * 3600.0
_HEAD_BYTES = 64


class Inspector:
    """Answers about models. Every method may raise any AdapterError."""

    def __init__(self, actions: Actions, adapters: Adapters, store: LocalStore) -> None:
        self._actions = actions
        self._adapters = adapters
        self._store = store

    async def source_of(self, given: str, files: Sequence[adapter_pb2.File]) -> str:
        """The framework of a model: what was said, or what its files say.

        Raises:
            NoAdapter: nothing reads it.
            AdapterError: one that may read it couldn't be asked.
        """
        if not given:
            head = self._store.open(blob_from_proto(files[0].blob))[:_HEAD_BYTES]
            known, silent = await self._adapters.descriptions()
            try:
                return detect([file.name for file in files], bytes(head), known)
            except NoAdapter as error:
                raise _perhaps_of(silent, error) from error
        if given != IR:
            self._adapters.place(given)
        return given

    async def inspect(self, request: hub_pb2.InspectModelRequest) -> hub_pb2.InspectModelResponse:
        """Parses and simplifies a model, recovers if asked to, and says what is in it."""
        framework = await self.source_of(request.source, request.files)
        source = source_from(framework, request)
        held = [file.blob for file in source.files]
        with await asyncio.to_thread(self._store.lease, "inspect", held, _LEASE_SECONDS) as lease:
            parsed = await self._actions.parse(source)
            found = await self._simplified(parsed.ir())
            notes = [*parsed.notes, *found.notes]
            if request.recover:
                missed = await self._actions.own("explain", {"model": asdict(found.ir())})
                found = await self._actions.own("recover", {"model": asdict(found.ir())})
                notes += [*found.notes, *missed.notes]
            lease.add(found.blobs())
            seen = await self._actions.own("inspect", {"model": asdict(found.ir())})
        return hub_pb2.InspectModelResponse(
            model=blob_to_proto(found.ir()),
            text=blob_to_proto(seen.files[0].blob),
            ops=seen.facts["ops"],
            parameters=seen.facts["parameters"],
            notes=notes,
        )

    async def recover(self, model: Blob) -> hub_pb2.RecoverModelResponse:
        """Simplifies an IR and recovers what its source had spelled out."""
        with await asyncio.to_thread(self._store.lease, "recover", [model], _LEASE_SECONDS):
            simple = await self._simplified(model)
            found = await self._actions.own("recover", {"model": asdict(simple.ir())})
        return hub_pb2.RecoverModelResponse(
            model=blob_to_proto(found.ir()), recovered=found.facts["recovered"]
        )

    async def _simplified(self, model: Blob) -> Outcome:
        checked = await self._actions.own("check", {"model": asdict(model)})
        return await self._actions.own("simplify", {"model": asdict(checked.ir())})


def _perhaps_of(silent: Mapping[str, AdapterError], error: NoAdapter) -> AdapterError:
    """The error where no adapter that answers reads a model, but a silent one may."""
    if not silent or "candidates" in error.metadata:
        return error
    ours = [each for each in silent.values() if not isinstance(each, Unreachable)]
    if ours:  # such as a full disk, which is why it couldn't be asked
        return ours[0]
    said = f"{error} No answer, so perhaps they would, from: {', '.join(silent)}."
    return NoAdapter(said, error.problems, error.metadata)
