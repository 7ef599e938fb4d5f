"""Of code only what was written here is run: remembered by Emit, looked up by Run."""

from __future__ import annotations

from collections.abc import Iterable

from ir_hub.blobs.store import LocalStore
from ir_hub.blobs.trust import Trust
from ir_hub.blobs.wire import blob_from_proto
from ir_hub.sdk.adapter import Adapter
from ir_hub.sdk.errors import Problem, UntrustedCode
from irhub.adapter.v1 import adapter_pb2

Files = Iterable[adapter_pb2.File]


def trust_code(adapter: Adapter, written: Files, store: LocalStore) -> None:
    """Remembers the code among the files that an adapter wrote, as long as the store has it."""
    Trust(store.root).add(blob_from_proto(file.blob) for file in _code(adapter, written))


def refuse_strange(adapter: Adapter, given: Files, store: LocalStore) -> None:
    """Nothing, if all code among the files was written here.

    Raises:
        UntrustedCode: with each file that wasn't.
    """
    trust = Trust(store.root)
    strange = [f.name for f in _code(adapter, given) if blob_from_proto(f.blob) not in trust]
    if strange:
        raise UntrustedCode(
            f"{', '.join(strange)} is code that this service didn't write, so it isn't run: emit "
            "the model here, or start the service with --allow-code if every caller is trusted",
            [Problem(name, "it wasn't written by this service's Emit") for name in strange],
        )


def _code(adapter: Adapter, files: Files) -> Files:
    return (file for file in files if file.name.endswith(adapter.code))
