"""Opens zip archives that strangers wrote: where each member's bytes lie, and nothing unpacked
that is larger than it says."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any, NoReturn

from ir_hub.ir.tensor import Blob
from ir_hub.sdk.adapter import Files
from ir_hub.sdk.errors import BadModel

MOST_MEMBERS = 200_000
LARGEST_JSON = 1 << 29
HIGHEST_RATIO = 100  # weights hardly shrink: what does so more than this is a bomb
_LOCAL_HEADER = 30  # bytes, before the name


@dataclass(frozen=True)
class Member:
    """A member: its name below the archive's folder, and where its bytes are. `stored` ones lie
    at `offset` as they are."""

    name: str
    offset: int
    size: int
    stored: bool
    info: zipfile.ZipInfo


class Archive:
    """An opened archive whose members are all in one folder, as PyTorch writes it.

    Raises:
        BadModel: it isn't a zip archive, is cut off, or isn't safe to unpack.
    """

    def __init__(self, files: Files) -> None:
        self.files, self.file = files, files.main
        self.view = files.open_blob(files.main.blob).cast("B")
        self.members: dict[str, Member] = {}
        try:
            with zipfile.ZipFile(files.main.path) as opened:
                infos = opened.infolist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
            self._not_an_archive(error)
        if len(infos) > MOST_MEMBERS:
            self._fail(f"has {len(infos)} members; at most {MOST_MEMBERS} are read")
        if min((info.header_offset for info in infos), default=0):
            self._fail("is cut off: it ends with an archive that was a member of it")
        for info in infos:
            self._add(info)

    def require(self, name: str) -> Member:
        """The member of that name."""
        if name not in self.members:
            self._fail(f"has no member {name!r}: it is not whole, or not what PyTorch wrote")
        return self.members[name]

    def read(self, name: str) -> bytes | memoryview:
        """The bytes of a member, its checksum compared; a stored member's aren't copied."""
        member = self.require(name)
        packed = self.view[member.offset : member.offset + member.info.compress_size]
        data = packed if member.stored else self._unpacked(packed, member)
        if zlib.crc32(data) != member.info.CRC:
            self._fail(f"is damaged: the checksum of its member {name!r} is another one")
        return data

    def json(self, name: str) -> Any:
        """A member as JSON."""
        if self.require(name).size > LARGEST_JSON:
            self._fail(f"has a member {name!r} of {self.members[name].size} bytes of JSON")
        try:
            return json.loads(bytes(self.read(name)))
        except (ValueError, RecursionError) as error:
            self._fail(f"has a member {name!r} that is no JSON: {error}")

    def _unpacked(self, packed: memoryview, member: Member) -> bytes:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = inflate.decompress(packed, member.size + 1)
        except zlib.error as error:
            self._fail(f"is damaged at its member {member.name!r}: {error}")
        if len(data) != member.size or not inflate.eof:
            self._fail(
                f"has a member {member.name!r} that isn't of the {member.size} bytes it says"
            )
        return data

    @property
    def blob(self) -> Blob:
        """The archive's own bytes."""
        return self.file.blob

    def _add(self, info: zipfile.ZipInfo) -> None:
        folder, below, name = info.filename.partition("/")
        name = name if below else info.filename
        parts = info.filename.split("/")
        if not folder or ".." in parts or "\\" in info.filename or "\0" in info.orig_filename:
            self._fail(f"has a member {info.filename!r}, which lies outside of it")
        if info.flag_bits & 1:
            self._fail(f"has the member {info.filename!r} encrypted")
        if name in self.members:
            self._fail(f"has the member {info.filename!r} twice")
        if info.file_size > HIGHEST_RATIO * max(info.compress_size, 1):
            self._fail(
                f"has the member {info.filename!r} of {info.file_size} bytes packed "
                f"into {info.compress_size}"
            )
        stored = info.compress_type == zipfile.ZIP_STORED
        if stored and info.file_size != info.compress_size:
            self._fail(f"contradicts itself on the size of its member {info.filename!r}")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            self._fail(f"has the member {info.filename!r} packed in a way that isn't read")
        self.members[name] = Member(name, self._start(info), info.file_size, stored, info)

    def _start(self, info: zipfile.ZipInfo) -> int:
        """Where a member's bytes begin, by its local header."""
        start = info.header_offset
        header = bytes(self.view[start : start + _LOCAL_HEADER])
        if len(header) < _LOCAL_HEADER or header[:4] != b"PK\3\4":
            self._fail(f"is cut off or damaged: its member {info.filename!r} isn't there")
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        start += _LOCAL_HEADER + name_length + extra_length
        if start + info.compress_size > len(self.view):
            self._fail(f"is cut off: its member {info.filename!r} ends beyond it")
        return int(start)

    def _not_an_archive(self, error: Exception) -> NoReturn:
        head = bytes(self.view[:8])
        if head == b"version ":
            self._fail("is a Git LFS pointer, not the model: fetch it with `git lfs pull`")
        if head[:4] == b"PK\3\4":
            self._fail(f"is cut off: {error}")
        if head[:1] == b"\x80":
            self._fail("is a pickle, which is never loaded: save the model with torch.export.save")
        self._fail("is not an archive that torch.export.save wrote")

    def _fail(self, problem: str) -> NoReturn:
        raise BadModel(f"{self.file.name} {problem}")
