"""Builds the Python environments that the hub and the adapters run in, from locks.

Each framework needs an environment of its own. `install` makes `<home>/envs/<name>` with uv, from
the lock that this package carries, and `python_of` finds the interpreter in it. Only the standard
library is used here, so that a bare Python can run it:

    python3.11 -m ir_hub.environments --home .irhub hub onnx pytorch
"""

import argparse
import errno
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ir_hub import __version__

Report = Callable[[str], None]
Command = Sequence[str | Path]

DEFAULT_HOME = Path("~/.irhub")
PYTHON = "3.11"  # the one version that every framework's pinned release has wheels for
UV = "uv==0.13.9"

_ROOT = Path(__file__).resolve().parents[1]
_STAMP = ".irhub-stamp"


class SetupError(Exception):
    """An environment can't be built or used; the message says why and what to do."""


@dataclass(frozen=True)
class Recipe:
    """What goes into an environment. Paths are relative to the folder that holds `ir_hub`.

    `lock` lists every requirement with hashes, save those in `unhashed`: files of pins that are
    installed after the lock, because their builds differ from one index to the next.
    """

    lock: str
    unhashed: tuple[str, ...] = ()


_TORCH = "adapters/pytorch/torch.txt"
_TORCHVISION = "tests/torchvision.txt"

RECIPES = {
    "hub": Recipe("ir_hub/hub/requirements.lock"),
    "onnx": Recipe("adapters/onnx/requirements.lock"),
    "pytorch": Recipe("adapters/pytorch/requirements.lock", (_TORCH,)),
    "tensorflow": Recipe("adapters/tensorflow/requirements.lock"),
    "mxnet": Recipe("adapters/mxnet/requirements.lock"),
    "demo": Recipe("tests/requirements-demo.lock", (_TORCH,)),
    "bench": Recipe("tests/requirements-bench.lock", (_TORCH, _TORCHVISION)),
    "tf2onnx": Recipe("tests/requirements-tf2onnx.lock"),
    "mx2onnx": Recipe("tests/requirements-mx2onnx.lock"),
    "protos": Recipe("tests/requirements-protos.lock"),
    "numpy1": Recipe("tests/requirements-numpy1.lock"),
}
TEST_RECIPES = RECIPES | {
    "hub": Recipe("tests/requirements-hub.lock"),
    "onnx": Recipe("tests/requirements-onnx.lock"),
    "pytorch": Recipe("tests/requirements-pytorch.lock", (_TORCH, _TORCHVISION)),
    "tensorflow": Recipe("tests/requirements-tensorflow.lock"),
    "mxnet": Recipe("tests/requirements-mxnet.lock"),
}


def install(
    names: Sequence[str],
    home: Path = DEFAULT_HOME,
    test: bool = False,
    report: Report = lambda _line: None,
) -> None:
    """Build the named environments under `home` that are missing, half built or out of date.

    `test` adds what their tests need. `report` is told each step in one line. Two builders may
    run at once: the second waits, and then finds the environment ready. Raises `SetupError`.
    """
    home = home.expanduser().absolute()
    plans = [
        (_folder(home, name), _recipe(name, test), _accepted_stamps(home, name, test))
        for name in names
    ]
    for folder, recipe, accepted in plans:
        if not _is_ready(folder, accepted):
            with _disk_errors(folder), _locked(folder, report):
                if not _is_ready(folder, accepted):
                    _build(folder, recipe, _bootstrap_uv(home, report), report)
        report(f"{folder.name}: ready")


def python_of(name: str, home: Path = DEFAULT_HOME) -> Path:
    """Return the interpreter of the environment `name` under `home`.

    Raises `SetupError` when it is missing, half built, or built from another lock than ours.
    """
    home = home.expanduser().absolute()
    folder = _folder(home, name)
    if not _is_ready(folder, _accepted_stamps(home, name, test=False)):
        state = "out of date or half built" if folder.exists() else "missing"
        raise SetupError(
            f"The environment {name!r} in {home} is {state}. "
            f"Build it with `irhub adapters install {name}`."
        )
    return _interpreter(folder)


def _recipe(name: str, test: bool) -> Recipe:
    recipe = (TEST_RECIPES if test else RECIPES).get(name)
    if recipe is None:
        known = ", ".join(RECIPES)
        raise SetupError(f"There is no environment {name!r}; there are {known}.")
    absent = [path for path in (recipe.lock, *recipe.unhashed) if not (_ROOT / path).is_file()]
    if absent:
        raise SetupError(
            f"The environment {name!r}{' for tests' if test else ''} is built from "
            f"{', '.join(absent)}, which only a checkout of the source has; run this in one."
        )
    return recipe


def _folder(home: Path, name: str) -> Path:
    return home / "envs" / name


def _interpreter(folder: Path) -> Path:
    return folder / "bin" / "python"


def _stamp_of(folder: Path, recipe: Recipe) -> str:
    """Digest of all that the content of `folder` depends on, its own place included."""
    digest = hashlib.sha256("\0".join([__version__, PYTHON, str(_ROOT), str(folder)]).encode())
    for path in (recipe.lock, *recipe.unhashed):
        digest.update(b"\0" + (_ROOT / path).read_bytes())
    return digest.hexdigest()


def _accepted_stamps(home: Path, name: str, test: bool) -> set[str]:
    """The stamps of an environment that has what is asked for: one for tests has more."""
    folder = _folder(home, name)
    accepted = {_stamp_of(folder, _recipe(name, test))}
    test_recipe = TEST_RECIPES[name]
    if not test and (_ROOT / test_recipe.lock).is_file():
        accepted.add(_stamp_of(folder, test_recipe))
    return accepted


def _is_ready(folder: Path, accepted: set[str]) -> bool:
    stamp = folder / _STAMP
    return stamp.is_file() and stamp.read_text() in accepted and _interpreter(folder).exists()


def _write_stamp(folder: Path, stamp: str) -> None:
    """Mark `folder` as complete. Nothing may be written to it afterwards."""
    partial = folder / (_STAMP + ".partial")
    partial.write_text(stamp)
    partial.replace(folder / _STAMP)


@contextmanager
def _locked(folder: Path, report: Report) -> Iterator[None]:
    """Hold the lock of `folder`, which lies beside it. The system frees a dead process's lock."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"{folder.name}: waiting for another process that builds it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno == errno.ENOSPC
        remedy = "Free some space" if full else "Make it writable, or choose another --home"
        raise SetupError(f"Can't write {folder}: {error.strerror}. {remedy}.") from error


def _build(folder: Path, recipe: Recipe, uv: Path, report: Report) -> None:
    report(f"{folder.name}: building {folder}")
    stamp = _stamp_of(folder, recipe)  # before the build, during which the lock may change
    if folder.exists():
        shutil.rmtree(folder)
    _run([uv, "venv", "--quiet", "--python", _base_python(), folder], f"create {folder}")
    # --no-deps: the lock is complete, and what is left out of it must not come from the index.
    pip: Command = [uv, "pip", "install", "-q", "--no-deps", "--python", _interpreter(folder)]
    doing = f"install {recipe.lock} into {folder}"
    _run([*pip, "--require-hashes", "-r", _ROOT / recipe.lock], doing)
    if recipe.unhashed:
        _install_unhashed(pip, recipe.unhashed, report)
    if (_ROOT / "pyproject.toml").is_file():
        _run([*pip, "--editable", _ROOT], f"install irhub into {folder}")
    else:
        _copy_irhub(folder / "lib" / f"python{PYTHON}" / "site-packages")
    _write_stamp(folder, stamp)


def _install_unhashed(pip: Command, files: tuple[str, ...], report: Report) -> None:
    """Install PyTorch's CPU build: a file that lies at hand if there is one, else its index's."""
    command: Command = [*pip, *(part for path in files for part in ("-r", _ROOT / path))]
    doing = f"install {', '.join(files)}"
    try:
        _run(command, doing)
    except SetupError:
        report("PyTorch's CPU build is not at hand: asking PyTorch's own index")
        doing += " (PIP_FIND_LINKS may also name a folder that holds the wheels)"
        _run([*command, "--torch-backend", "cpu"], doing)


def _copy_irhub(site_packages: Path) -> None:
    """Copy the running, installed irhub: the very same code, whatever the index has by now."""
    try:
        files = metadata.distribution("irhub").files or []
    except metadata.PackageNotFoundError as error:
        raise SetupError("irhub is not installed; install it with pip.") from error
    for file in files:
        if ".." not in file.parts:  # a script outside of site-packages
            target = site_packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(Path(str(file.locate())), target)


def _base_python() -> str:
    """The Python that runs this if it is the right version, else one for uv to find."""
    # Not sys.executable: it may lie in the very environment that is about to be rebuilt.
    running = Path(sys.base_prefix, "bin", f"python{PYTHON}")
    return str(running) if running.is_file() else PYTHON


def _bootstrap_uv(home: Path, report: Report) -> Path:
    folder = home / "tools" / "uv"
    with _locked(folder, report):
        if not _is_ready(folder, {UV}):
            report(f"uv: installing {UV}")
            _run([sys.executable, "-m", "venv", "--clear", folder], f"create {folder}")
            _run([_interpreter(folder), "-m", "pip", "install", "--quiet", UV], f"install {UV}")
            _write_stamp(folder, UV)
    return folder / "bin" / "uv"


def _run(command: Command, doing: str) -> None:
    done = subprocess.run(
        command, env=_environ(), stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise SetupError(_explain(doing, done.stderr or done.stdout))


_UV_NAMES = {"UV_FIND_LINKS": "PIP_FIND_LINKS", "UV_DEFAULT_INDEX": "PIP_INDEX_URL"}


def _environ() -> dict[str, str]:
    """The environment for uv, which ignores pip's settings and must not see our own modules."""
    environ = {key: text for key, text in os.environ.items() if not key.startswith("PYTHON")}
    for uv_name, pip_name in _UV_NAMES.items():
        if environ.get(pip_name):
            environ.setdefault(uv_name, environ[pip_name])
    return environ


_NETWORK = (
    "The package index can't be reached: check the network, or set PIP_INDEX_URL to a mirror."
)
_CAUSES = {
    "No space left on device": "The disk is full: free some space.",
    "No interpreter found": f"Python {PYTHON} is needed and was not found: install it.",
    "ensurepip": "This Python can't make environments: install its venv package.",
    "error sending request": _NETWORK,
    "Failed to fetch": _NETWORK,
    "from versions: none": _NETWORK,
}


def _explain(doing: str, output: str) -> str:
    """One paragraph: what failed, the likely cause, and the end of what the tool said."""
    cause = next((text + " " for sign, text in _CAUSES.items() if sign in output), "")
    said = " ".join(output.split()[-60:]) or "nothing"
    return f"Could not {doing}. {cause}The tool said: {said}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the environments that the command line names; 0 done, 1 failed, 2 misused."""
    parser = argparse.ArgumentParser(prog="ir_hub.environments", description=install.__doc__)
    parser.add_argument("names", nargs="+", choices=list(RECIPES), metavar="NAME")
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME)
    parser.add_argument("--test", action="store_true", help="add what the tests need")
    options = parser.parse_args(arguments)
    try:
        install(options.names, options.home, options.test, print)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
