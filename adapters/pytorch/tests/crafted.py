"""Exported programs changed into what nobody would have exported."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.pytorch.tests.exported import parse
from ir_hub.sdk.errors import AdapterError, BadModel

MODEL = "models/model.json"


def rewrite(path: Path, change: Callable[[dict[str, bytes]], None], **how: Any) -> Path:
    """The archive with its members changed, by their names below its folder."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        members = {info.filename.partition("/")[2]: archive.read(info) for info in infos}
    change(members)
    changed = path.with_name("changed.pt2")
    with zipfile.ZipFile(changed, "w", **how) as archive:
        for name, content in members.items():
            archive.writestr(name if name.startswith("..") else f"model/{name}", content)
    return changed


def edited(path: Path, edit: Callable[[Any], None], member: str = MODEL) -> Path:
    """The archive with a member's JSON changed."""

    def change(members: dict[str, bytes]) -> None:
        content = json.loads(members[member])
        edit(content)
        members[member] = json.dumps(content).encode()

    return rewrite(path, change)


def message(path: Path, kind: type[AdapterError] = BadModel) -> str:
    """What is said of a file that is refused."""
    with pytest.raises(kind) as caught:
        parse(path)
    return str(caught.value)
