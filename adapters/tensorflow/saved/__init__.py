"""Reads SavedModels and GraphDefs: the graph as data, its variables where they lie."""

from __future__ import annotations

from pathlib import PurePosixPath

from ir_hub.sdk.adapter import Files, SourceFile

FILE = "saved_model.pb"
GRAPH = ".pb"


def graph_file(files: Files) -> SourceFile | None:
    """The file with the graph of a SavedModel, or a graph by itself, if there is one."""
    whole = next((f for f in files.files if PurePosixPath(f.name).name == FILE), None)
    return whole or (files.main if files.main.name.endswith(GRAPH) else None)


def is_frozen(files: Files, file: SourceFile) -> bool:
    """Whether a file is a graph by itself: it begins with a node, a SavedModel with a number."""
    return bytes(files.open_blob(file.blob)[:1]) == b"\n"
