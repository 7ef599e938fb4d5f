"""The records of conversions, in SQLite: what was asked, where it stands, what came of it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from ir_hub.hub.database import Database
from irhub.hub.v1 import hub_pb2

ENDED = (
    hub_pb2.Conversion.STATE_SUCCEEDED,
    hub_pb2.Conversion.STATE_FAILED,
    hub_pb2.Conversion.STATE_CANCELLED,
)
_TOKEN = re.compile(r"before:([0-9]{1,18})")


class NoSuchConversion(LookupError):
    """There is no conversion of that name."""


class RequestIdUsed(ValueError):
    """The request_id belongs to another request."""


class BadPageToken(ValueError):
    """The page token isn't one that we gave."""


@dataclass(frozen=True)
class Page:
    """Conversions, newest first, and the token for those before them; empty at the end."""

    conversions: list[hub_pb2.Conversion]
    next_token: str


def is_ended(conversion: hub_pb2.Conversion) -> bool:
    """Whether nothing about it will change any more."""
    return conversion.state in ENDED


class Jobs:
    """The conversions of one database."""

    def __init__(self, database: Database) -> None:
        self._sql = database.connection

    def find(self, spec: hub_pb2.ConversionSpec, request_id: str) -> hub_pb2.Conversion | None:
        """The conversion of an earlier request with this id, which isn't empty.

        Raises:
            RequestIdUsed: that request was another one.
        """
        found = self._sql.execute(
            "SELECT request_digest, conversion FROM conversions WHERE request_id = ?",
            (request_id or None,),
        ).fetchone()
        if found is None:
            return None
        if found[0] != _digest(spec):
            raise RequestIdUsed(
                f"request_id {request_id!r} was used for another request: give every request "
                "an id of its own, a UUID for instance"
            )
        return hub_pb2.Conversion.FromString(found[1])

    def create(
        self, spec: hub_pb2.ConversionSpec, request_id: str, source: str
    ) -> hub_pb2.Conversion:
        """Records a new conversion of a model of `source`, whether the request says so or its
        files do; `find` has been asked for an earlier one."""
        conversion = hub_pb2.Conversion(
            name=f"conversions/{secrets.token_hex(8)}",
            spec=spec,
            state=hub_pb2.Conversion.STATE_QUEUED,
            create_time=now(),
        )
        conversion.spec.source = source
        self._sql.execute(
            "INSERT INTO conversions (name, request_id, request_digest, ended, conversion)"
            " VALUES (?, ?, ?, 0, ?)",
            (conversion.name, request_id or None, _digest(spec), conversion.SerializeToString()),
        )
        return conversion

    def save(self, conversion: hub_pb2.Conversion) -> None:
        """Records how a conversion stands now. Nothing, if it has been deleted."""
        self._sql.execute(
            "UPDATE conversions SET ended = ?, conversion = ? WHERE name = ?",
            (is_ended(conversion), conversion.SerializeToString(), conversion.name),
        )

    def get(self, name: str) -> hub_pb2.Conversion:
        """A conversion as it was saved last; NoSuchConversion if there is none."""
        found = self._sql.execute(
            "SELECT conversion FROM conversions WHERE name = ?", (name,)
        ).fetchone()
        if found is None:
            raise NoSuchConversion(f"there is no {name!r}: it was deleted, or never created")
        return hub_pb2.Conversion.FromString(found[0])

    def page(self, size: int, token: str = "") -> Page:
        """A page of at most `size` conversions; BadPageToken when the token isn't ours."""
        found = self._sql.execute(
            "SELECT number, conversion FROM conversions WHERE number < ?"
            " ORDER BY number DESC LIMIT ?",
            (_read_token(token), size + 1),
        ).fetchall()
        shown = [hub_pb2.Conversion.FromString(blob) for _, blob in found[:size]]
        return Page(shown, _write_token(found[size - 1][0]) if len(found) > size else "")

    def delete(self, name: str) -> None:
        """Forgets a conversion; NoSuchConversion if there is none."""
        if not self._sql.execute("DELETE FROM conversions WHERE name = ?", (name,)).rowcount:
            raise NoSuchConversion(f"there is no {name!r}: it was deleted, or never created")

    def unended(self) -> list[hub_pb2.Conversion]:
        """Those that a hub was asked for and hasn't ended, oldest first."""
        found = self._sql.execute(
            "SELECT conversion FROM conversions WHERE ended = 0 ORDER BY number"
        ).fetchall()
        return [hub_pb2.Conversion.FromString(blob) for (blob,) in found]

    def begin(self, name: str) -> int:
        """Counts that a hub begins with a conversion; how often that has happened by now."""
        (starts,) = self._sql.execute(
            "UPDATE conversions SET starts = starts + 1 WHERE name = ? RETURNING starts", (name,)
        ).fetchone()
        return int(starts)

    def put_back(self, name: str) -> None:
        """Takes back a `begin`: the hub stops, and not because of this conversion."""
        self._sql.execute(
            "UPDATE conversions SET starts = max(starts - 1, 0) WHERE name = ?", (name,)
        )


def now() -> Timestamp:
    """The time as the contract has it."""
    time = Timestamp()
    time.GetCurrentTime()
    return time


def _digest(spec: hub_pb2.ConversionSpec) -> str:
    return hashlib.sha256(spec.SerializeToString(deterministic=True)).hexdigest()


def _write_token(number: int) -> str:
    return base64.urlsafe_b64encode(f"before:{number}".encode()).decode()


def _read_token(token: str) -> int:
    if not token:
        return 1 << 62
    try:
        found = _TOKEN.fullmatch(base64.urlsafe_b64decode(token.encode()).decode())
    except (binascii.Error, UnicodeError, ValueError):
        found = None
    if found is None:
        raise BadPageToken(
            f"{token[:80]!r} is no page token: give the next_page_token of the page before"
        )
    return int(found[1])
