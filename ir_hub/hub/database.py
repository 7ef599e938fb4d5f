"""Opens the hub's SQLite file, which one hub has to itself."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

VERSION = 1
_SCHEMA = """
CREATE TABLE conversions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which they were created
    name TEXT NOT NULL UNIQUE,
    request_id TEXT UNIQUE,                    -- NULL when the caller gave none
    request_digest TEXT NOT NULL,              -- of what was asked
    ended INTEGER NOT NULL,                    -- 0 or 1
    starts INTEGER NOT NULL DEFAULT 0,         -- how often a hub has begun with it
    conversion BLOB NOT NULL                   -- an irhub.hub.v1.Conversion
) STRICT;
CREATE INDEX unended ON conversions (number) WHERE ended = 0;
CREATE TABLE actions (
    digest TEXT PRIMARY KEY,                   -- of the stage, who runs it, and all it reads
    outcome TEXT NOT NULL,                     -- JSON
    used REAL NOT NULL                         -- seconds since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX least_recently_used ON actions (used);
"""


class DatabaseUnusable(RuntimeError):
    """Another hub has the database open, made it in another version, or it isn't one."""


class Database:
    """An open database; `close` gives it up."""

    def __init__(self, path: Path) -> None:
        """Opens the file, and makes it if it isn't there.

        Raises:
            DatabaseUnusable: another hub has it, or it can't be opened.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise DatabaseUnusable(
                f"Another hub uses {path}. Stop it, or give this one a database of its own."
            ) from None
        try:
            self.connection = sqlite3.connect(path, isolation_level=None)
            self.connection.execute("PRAGMA journal_mode = WAL")
            # A crash of the process loses nothing; one of the machine at most the last moments.
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self._create(path)
        except sqlite3.Error as error:
            os.close(self._lock)
            raise DatabaseUnusable(
                f"{path} can't be used as the hub's database: {error}. Give the hub another file, "
                "or move this one away."
            ) from error

    def close(self) -> None:
        """Closes the file for another hub to open."""
        self.connection.close()
        os.close(self._lock)

    def _create(self, path: Path) -> None:
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self.connection.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;"
            )
        elif version != VERSION:
            self.close()
            raise DatabaseUnusable(
                f"{path} was made by a hub with database version {version}, this one has "
                f"{VERSION}. Give this hub a database of its own, or remove the file."
            )
