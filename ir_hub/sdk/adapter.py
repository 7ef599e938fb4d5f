"""What a framework must say to be an adapter: a table, and load, walk, save, run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import numpy as np

from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import Blob
from ir_hub.ir.types import TensorType
from ir_hub.sdk.dialect import Dialect
from ir_hub.sdk.errors import BadModel
from ir_hub.sdk.source import SourceGraph

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Format:
    """A file format: its name, how its files' names end, one sentence."""

    name: str
    suffixes: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class Option:
    """An option of a stage (parse, emit or run); values empty: any text."""

    stage: str
    name: str
    description: str
    default: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceFile:
    """A file of a model: its name there, where its bytes can be mapped from, what they are."""

    name: str
    path: Path
    blob: Blob


@dataclass(frozen=True)
class Files:
    """A model's files; the model itself is the first one. `open_blob` maps a blob into memory."""

    files: tuple[SourceFile, ...]
    open_blob: Callable[[Blob], memoryview]

    @property
    def main(self) -> SourceFile:
        """The model itself."""
        return self.files[0]

    def named(self, name: str) -> SourceFile:
        """The file of that name, which a model file refers to relative to itself.

        Raises:
            BadModel: the name leaves the model's folder, or no such file was given.
        """
        folder = PurePosixPath(self.main.name).parent
        wanted = PurePosixPath(name)
        if wanted.is_absolute() or ".." in wanted.parts or "\\" in name or "\0" in name:
            raise BadModel(
                f"the model refers to the file {name!r}, which is outside its own folder"
            )
        found = next((f for f in self.files if PurePosixPath(f.name) == folder / wanted), None)
        if found is None:
            given = ", ".join(file.name for file in self.files)
            raise BadModel(
                f"the model refers to the file {name!r}, which was not given (given: {given}); "
                "give it along with the model, under that name"
            )
        return found


@dataclass(frozen=True)
class Work:
    """What a stage gets besides its subject: options with defaults filled in, a place to say how
    far it is, and a folder that is its own until it ends."""

    options: Mapping[str, str]
    progress: Progress
    scratch: Path


@dataclass
class Emitted:
    """What `save` wrote: files relative to its folder, code first; what a person should know;
    source weight names by the names they have in the written model; open sizes of the inputs that
    it had to fix, by symbol, which needn't be noted too."""

    files: list[str]
    notes: list[str] = field(default_factory=list)
    weight_names: dict[str, str] = field(default_factory=dict)
    fixed_sizes: dict[str, int] = field(default_factory=dict)


class Adapter(ABC):
    """One framework. The class is made in the service's front, which never imports the framework;
    its methods run in a worker. So modules import the framework inside `warm` and the methods'
    own modules, never where the class is defined."""

    framework: ClassVar[str]
    version: ClassVar[str] = "1"
    reads: ClassVar[tuple[Format, ...]] = ()
    unread: ClassVar[tuple[Format, ...]] = ()
    """The framework's other formats; their descriptions say what to do instead."""
    writes: ClassVar[tuple[Format, ...]] = ()
    options: ClassVar[tuple[Option, ...]] = ()
    code: ClassVar[tuple[str, ...]] = ()
    """How the names of files end that `run` executes as code. It gets only such as `save` wrote,
    unless the service was started with --allow-code; what is named otherwise it mustn't execute."""

    @abstractmethod
    def framework_version(self) -> str:
        """The framework's version, without importing it."""

    @abstractmethod
    def dialect(self) -> Dialect:
        """The op tables; called in a worker."""

    def warm(self) -> None:  # noqa: B027 - what has nothing to import needs nothing here
        """Imports what the work will need; called once when a worker starts."""

    def load(self, files: Files) -> Any:
        """Opens a model's files.

        Raises:
            BadModel: they aren't a model of the framework.
        """
        raise BadModel(f"{self.framework} models can't be read by this adapter")

    def walk(
        self, loaded: Any, files: Files, inputs: Mapping[str, TensorType], work: Work
    ) -> SourceGraph:
        """A loaded model's graph as the source has it; `inputs` are types given by the caller."""
        raise BadModel(f"{self.framework} models can't be read by this adapter")

    @abstractmethod
    def save(self, model: Model, format_name: str, folder: Path, work: Work) -> Emitted:
        """Writes a model, and code that builds it, into a folder.

        Raises:
            UnsupportedNodes: some nodes can't be written; every one of them is listed.
        """

    @abstractmethod
    def run(
        self, files: Files, inputs: Mapping[str, np.ndarray[Any, Any]], work: Work
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Runs a model of the framework; outputs by name, in the model's order.

        Raises:
            RunFailed: the framework refused.
        """
