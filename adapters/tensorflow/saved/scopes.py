"""The modules of a model, by the names of its nodes and of the variables that they read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

Path = tuple[str, ...]


class Scopes:
    """Where nodes belong. TensorFlow numbers the scopes of nodes as it likes ("dense_1" when a
    model was built twice); variables keep the names of their layers."""

    def __init__(
        self,
        variables: Mapping[str, str],
        reads: Mapping[str, Iterable[str]],
        every: Iterable[str] = (),
    ) -> None:
        """By the names of the nodes that stand for variables: `variables` has what each is called,
        `reads` the paths of the nodes that read it. `every` has those of all nodes."""
        self.variables = variables
        self.names: dict[Path, str] = {}  # of modules: what they are called in theirs
        self.owners: dict[str, Path] = {}  # of variables: their modules
        modules: set[Path] = set()
        for node, paths in reads.items():
            for path in paths:
                module = self._module(variables[node], tuple(path.split("/")))
                self.owners.setdefault(node, module)
                modules.add(module)
        tops = {module[:1] for module in modules}
        # What holds all modules, and no variable itself, is the model.
        whole = len(tops) == 1 and not tops & modules and tops != {()}
        self.top: Path = tops.pop() if whole else ()
        self._name_others({m[:end] for m in modules for end in range(1, len(m) + 1)})
        self._name_others({*self.names, *self._without_variables(every)})

    def _module(self, variable: str, path: Path) -> Path:
        """The module that a node reads a variable for, as a path of the graph's own."""
        words = variable.split("/")[:-1]
        inner = path[:-1]
        ends = range(1, len(inner) + 1)
        end = max(ends, key=lambda end: self._agreement(inner[:end], words), default=0)
        agreed = self._agreement(inner[:end], words)
        if agreed:
            for back in range(agreed):
                self.names[inner[: end - back]] = words[-1 - back]
            return inner[:end]
        return inner[:-1]

    def _name_others(self, modules: set[Path]) -> None:
        """Names the modules that no variable is called by: as the graph does, without the number at
        the end where those beside them then still differ."""
        beside: dict[Path, list[Path]] = {}
        for module in sorted(modules):
            beside.setdefault(module[:-1], []).append(module)
        for group in beside.values():
            short = [self.names.get(m, re.sub(r"_\d+$", "", m[-1])) for m in group]
            differ = len(set(short)) == len(group)
            for module, name in zip(group, short, strict=True):
                self.names.setdefault(module, name if differ else module[-1])

    def _without_variables(self, paths: Iterable[str]) -> set[Path]:
        """The modules without variables that stand beside those with some."""
        around = {module[:-1] for module in self.names} - {()}
        found: set[Path] = set()
        for path in paths:
            parts = tuple(path.split("/"))
            module = parts[: len(self._known(parts)) + 1]
            if len(module) < len(parts) and module[:-1] in around:
                found.add(module)
        return found

    def _known(self, parts: Path) -> Path:
        """The innermost module known that a node of this path is in."""
        fits = (parts[:end] for end in range(len(parts) - 1, 0, -1) if parts[:end] in self.names)
        return next(fits, ())

    @staticmethod
    def _agreement(module: Path, words: list[str]) -> int:
        """How many parts at the end of a path are called as the layers of a variable are."""
        count = 0
        for part, word in zip(reversed(module), reversed(words), strict=False):
            if not _is_numbered(part, word):
                break
            count += 1
        return count

    def of(self, path: str) -> str:
        """The scope of a node by its path, dotted."""
        return self._dotted(self._known(tuple(path.split("/"))))

    def key(self, node: str) -> str:
        """The key of a variable: its module's scope, and its own name there."""
        own = self.variables[node].rpartition("/")[2]
        return ".".join(filter(None, (self._dotted(self.owners.get(node, ())), own)))

    @property
    def model(self) -> str:
        """What the model is called, where the names say it."""
        name = self.names.get(self.top, "")
        return "" if re.fullmatch(r"(functional|sequential|model)(_\d+)*", name) else name

    def _dotted(self, module: Path) -> str:
        own = module[len(self.top) :] if module[: len(self.top)] == self.top else module
        start = len(module) - len(own)
        ends = range(start + 1, len(module) + 1)
        return ".".join(self.names[module[:end]].replace(".", "_") for end in ends)


def _is_numbered(part: str, word: str) -> bool:
    """Whether a part of a path is a word, perhaps with numbers behind it."""
    return re.fullmatch(r"(_\d+)*", part.removeprefix(word)) is not None and part.startswith(word)
