"""What came of a stage, and the memory of it: the same work on the same content is done once."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ir_hub.blobs import LocalStore
from ir_hub.hub.database import Database
from ir_hub.ir.tensor import Blob
from ir_hub.sdk.client import NamedBlob

_TRIM_EVERY = 256
_USED_SECONDS = 60.0


@dataclass(frozen=True)
class Outcome:
    """What a stage made.

    `model` is an IR; `holds` are the blobs that it refers to, itself among them. `facts` are what
    the report says of it: plain values that JSON has.
    """

    model: Blob | None = None
    files: tuple[NamedBlob, ...] = ()
    holds: tuple[Blob, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    cached: bool = False

    def blobs(self) -> list[Blob]:
        """All blobs that it is made of, once each."""
        own = [self.model] if self.model else []
        return list(dict.fromkeys([*own, *(file.blob for file in self.files), *self.holds]))

    def ir(self) -> Blob:
        """The IR; ValueError for a stage that makes none."""
        if self.model is None:
            raise ValueError("the stage has made no IR")
        return self.model

    def to_json(self) -> str:
        """As JSON; whether it was cached isn't part of it."""
        return json.dumps(asdict(replace(self, cached=False)))

    @staticmethod
    def from_json(text: str) -> Outcome:
        """The inverse of `to_json`."""
        found = json.loads(text)
        return Outcome(
            Blob(**found["model"]) if found["model"] else None,
            tuple(NamedBlob(file["name"], Blob(**file["blob"])) for file in found["files"]),
            tuple(Blob(**blob) for blob in found["holds"]),
            tuple(found["notes"]),
            found["facts"],
        )


def action_digest(stage: str, worker: Sequence[str], inputs: Any, options: Any) -> str:
    """The name of a piece of work: equal names, equal results.

    Args:
        stage: which stage.
        worker: who does it, with all versions that the result depends on.
        inputs: digests of what it reads; anything that JSON has.
        options: what else it depends on.
    """
    said = {"stage": stage, "worker": list(worker), "inputs": inputs, "options": options}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Outcomes:
    """The outcomes of earlier work, least recently used ones forgotten beyond `limit`."""

    def __init__(self, database: Database, store: LocalStore, limit: int) -> None:
        self._sql = database.connection
        self._store = store
        self._limit = limit
        self._until_trim = 0

    def find(self, action: str) -> Outcome | None:
        """The outcome of an action if it is known and every blob of it is still in the store."""
        found = self._sql.execute(
            "SELECT outcome, used FROM actions WHERE digest = ?", (action,)
        ).fetchone()
        if found is None:
            return None
        outcome = Outcome.from_json(found[0])
        if self._store.missing(outcome.blobs()):
            return None
        if time.time() - found[1] > _USED_SECONDS:
            self._sql.execute("UPDATE actions SET used = ? WHERE digest = ?", (time.time(), action))
        return replace(outcome, cached=True)

    def add(self, action: str, outcome: Outcome) -> None:
        """Remembers an outcome."""
        self._sql.execute(
            "INSERT OR REPLACE INTO actions (digest, outcome, used) VALUES (?, ?, ?)",
            (action, outcome.to_json(), time.time()),
        )
        self._until_trim -= 1
        if self._until_trim < 0:
            self._until_trim = _TRIM_EVERY
            self._sql.execute(
                "DELETE FROM actions WHERE digest IN (SELECT digest FROM actions"
                " ORDER BY used DESC LIMIT -1 OFFSET ?)",
                (self._limit,),
            )
